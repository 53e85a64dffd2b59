/** One image's search for the least ε at which an attack succeeds: times 1.5 until it does, then bisection (Foolbox 1.8). */
export type EpsilonSearch = {
  /** The ε to try now. */
  readonly epsilon: number;
  /** Says whether it succeeded there. */
  readonly report: (success: boolean) => void;
  readonly done: () => boolean;
};

const tries = 20;

/** With `search` false only `start` is tried. */
export const createEpsilonSearch = (start: number, search: boolean): EpsilonSearch => {
  let epsilon = start;
  let good = Number.POSITIVE_INFINITY;
  let bad = 0;
  let count = 0;
  let done = false;
  return {
    get epsilon() {
      return epsilon;
    },
    report: (success) => {
      count++;
      if (!search) {
        done = true;
      } else if (!Number.isFinite(good)) {
        if (success) {
          good = epsilon;
          count = 0;
          epsilon = (good + bad) / 2;
        } else {
          epsilon *= 1.5;
          done = count === tries;
        }
      } else {
        if (success) good = epsilon;
        else bad = epsilon;
        epsilon = (good + bad) / 2;
        done = count === tries;
      }
    },
    done: () => done,
  };
};
