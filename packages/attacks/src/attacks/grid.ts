/** The ε that a search tries, in order. */
export type Grid = {
  readonly epsilons: readonly number[];
  /** Whether a hit among the first 20 is refined: true for a grid made from a count (Foolbox 1.8's `decrease_if_first`). */
  readonly refine: boolean;
};

/** The `count` evenly spaced points of (0, greatest]: numpy's `linspace(0, greatest, count + 1)[1:]`. */
export const evenly = (greatest: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => ((i + 1) * greatest) / count);

/** A count makes an even grid up to `epsilon`; a list stands as it is. */
export const gridOf = ({
  epsilon,
  epsilons,
}: {
  epsilon: number;
  epsilons: number | readonly number[];
}): Grid =>
  typeof epsilons === 'number'
    ? { epsilons: evenly(epsilon, epsilons), refine: true }
    : { epsilons, refine: false };
