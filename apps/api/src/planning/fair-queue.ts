/**
 * Places for work, shared between callers: the next one is the caller's who has the least under way, and a caller with work under way leaves
 * the last place to the others. So nobody waits for one other caller, however much that one asks for.
 */
import { AppError } from '@funnel/contracts';

/** Questions that one caller may have waiting. */
const maxWaiting = 20;

type Waiting = { readonly caller: string; readonly begin: () => void };

export type FairQueue = {
  /** Runs `work` when it has a place. Errors: RATE_LIMITED, and what `work` throws. */
  readonly run: <T>(caller: string, work: () => Promise<T>) => Promise<T>;
};

export const createFairQueue = (places: number): FairQueue => {
  const waiting = new Set<Waiting>();
  const underWay = new Map<string, number>();
  const of = (caller: string): number => underWay.get(caller) ?? 0;
  const taken = (): number => [...underWay.values()].reduce((sum, count) => sum + count, 0);

  /** The first of those with the least under way. */
  const next = (): Waiting | undefined => {
    const free = places - taken();
    const may = [...waiting].filter(({ caller }) => free > (of(caller) > 0 ? 1 : 0));
    return may.sort((a, b) => of(a.caller) - of(b.caller))[0];
  };

  const begin = (): void => {
    for (let one = next(); one; one = next()) {
      waiting.delete(one);
      underWay.set(one.caller, of(one.caller) + 1);
      one.begin();
    }
  };

  const end = (caller: string): void => {
    const left = of(caller) - 1;
    if (left > 0) underWay.set(caller, left);
    else underWay.delete(caller);
    begin();
  };

  return {
    run: async (caller, work) => {
      const own = [...waiting].filter((one) => one.caller === caller).length;
      if (own >= maxWaiting)
        throw new AppError(
          'RATE_LIMITED',
          `Expected at most ${maxWaiting} large requests to wait for one caller, but there are more`,
        );
      await new Promise<void>((resolve) => {
        waiting.add({ caller, begin: resolve });
        begin();
      });
      try {
        return await work();
      } finally {
        end(caller);
      }
    },
  };
};
