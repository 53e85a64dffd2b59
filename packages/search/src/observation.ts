/** What a search knows when it proposes: the earlier points, and their outcomes. */
import type { Point } from './space.ts';

/**
 * `bad`: the unit failed, diverged, collapsed, violated a constraint, or has masked gradients. `measured`: one utility for each objective;
 * more is better, and ±Infinity is a value like others. `variances`: of each utility, as the mean over its seeds; absent for one seed.
 */
export type Outcome =
  | { readonly status: 'pending' }
  | { readonly status: 'bad' }
  | {
      readonly status: 'measured';
      readonly utilities: readonly number[];
      readonly variances?: readonly number[];
    };

export type Observation = { readonly point: Point; readonly outcome: Outcome };

export type Measured = Extract<Outcome, { status: 'measured' }>;

/** A search needs this many outcomes before it learns. The first points need no outcome. */
export const startUpPoints = 10;

export const hasEnded = ({ status }: Outcome): boolean => status !== 'pending';

/** The observations with utilities, in the order of their decisions. */
export const measuredOf = (
  observations: readonly Observation[],
): readonly (Observation & { readonly outcome: Measured })[] =>
  observations.filter(
    (observation): observation is Observation & { readonly outcome: Measured } =>
      observation.outcome.status === 'measured',
  );

/** The mean and the sample standard deviation; 1 for the deviation of fewer than two values, or of equal ones. */
export const momentsOf = (
  values: readonly number[],
): { readonly mean: number; readonly deviation: number } => {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / Math.max(1, values.length - 1)) || 1 };
};

/**
 * Utilities for arithmetic: Infinity becomes the best finite value plus one standard deviation, and −Infinity the worst finite value. The
 * order stays, except that −Infinity ties with the worst.
 */
export const finiteUtilities = (
  measured: readonly { readonly outcome: Measured }[],
): readonly (readonly number[])[] => {
  const objectives = measured[0]?.outcome.utilities.length ?? 0;
  const bounds = Array.from({ length: objectives }, (_, objective) => {
    const finite = measured
      .map(({ outcome }) => outcome.utilities[objective]!)
      .filter((utility) => Number.isFinite(utility));
    const worst = finite.reduce((a, b) => Math.min(a, b), finite[0] ?? 0);
    const best = finite.reduce((a, b) => Math.max(a, b), finite[0] ?? 0);
    return { worst, above: best + momentsOf(finite).deviation };
  });
  return measured.map(({ outcome }) =>
    outcome.utilities.map((utility, objective) =>
      Math.min(bounds[objective]!.above, Math.max(bounds[objective]!.worst, utility)),
    ),
  );
};
