/**
 * Robust accuracy over ε, from the results of several attacks on the same images.
 *
 * Only attacks that work in the norm of the curve count (`searched-norms.ts`). An attack at a fixed ε makes changes of about that size, and no smaller
 * ones. So it counts at that ε only; at every other ε only attacks count that search for the smallest change.
 */
import type { EvaluationRecords, RobustnessCurve } from './attacks/evaluation.ts';
import { attacks, searchLimitOf } from './attacks.ts';
import { ballOf, type Run, reachOf, threatModelOf } from './ranking.ts';
import { type DistanceNorm, runsOfNorm } from './searched-norms.ts';
import { wilsonInterval } from './statistics.ts';
import { plural } from './text.ts';
import { threatModelText } from './threat-model.ts';

/** The results of one attack. */
export type RunRecords = Run & { readonly records: EvaluationRecords };

/** True for an attack that searches for the smallest change, maybe up to a limit. False for one that makes a change of exactly its ε. */
export const searchesSmallest = ({ attack, settings }: Run): boolean =>
  attacks[attack].family === 'minimisation' || settings.search === true;

/** The ε of the attacks at a fixed ε in this norm, in ascending order. */
export const fixedRadii = (runs: readonly Run[], norm: DistanceNorm): readonly number[] => {
  const radii = runsOfNorm(runs, norm).flatMap((run) =>
    searchesSmallest(run) ? [] : (ballOf(run)?.epsilon ?? []),
  );
  return [...new Set(radii)].sort((a, b) => a - b);
};

/** The ε at which pages show a number beside the curve: those of the attacks in this norm that have one, in ascending order. */
export const namedRadii = (runs: readonly Run[], norm: DistanceNorm): readonly number[] => {
  const radii = runsOfNorm(runs, norm).flatMap(({ settings: { epsilon } }) =>
    typeof epsilon === 'number' ? epsilon : [],
  );
  return [...new Set(radii)].sort((a, b) => a - b);
};

/** The attacks that say something about changes up to ε in this norm. At ε = 0 no image is changed. */
const countingAt = <Of extends Run>(
  runs: readonly Of[],
  norm: DistanceNorm,
  epsilon: number,
): readonly Of[] => {
  if (epsilon === 0) return runs;
  const own = runsOfNorm(runs, norm);
  return fixedRadii(own, norm).includes(epsilon)
    ? own
    : own.filter((run) => searchesSmallest(run) && epsilon <= reachOf(searchLimitOf(run)));
};

/**
 * For each image, the smallest change with which any of these attacks fooled it: 0 if it is classified wrongly without a change, infinity if no
 * attack fooled it.
 */
export const worstDistances = (
  evaluations: readonly Pick<RunRecords, 'records'>[],
  norm: DistanceNorm,
): ReadonlyMap<number, number> => {
  const worst = new Map<number, number>();
  for (const { records } of evaluations)
    for (const [row, image] of records.index.entries()) {
      const found = records.success[row]
        ? (records[norm][row] ?? Number.POSITIVE_INFINITY)
        : Number.POSITIVE_INFINITY;
      const distance = records.correct[row] ? found : 0;
      worst.set(image, Math.min(worst.get(image) ?? Number.POSITIVE_INFINITY, distance));
    }
  return worst;
};

/** How many images are right at ε: classified correctly, and fooled by no attack that counts there. Null where no attack counts. */
const standingAt = (evaluations: readonly RunRecords[], norm: DistanceNorm) => {
  const sorted = new Map<string, readonly number[]>();
  return (epsilon: number): number | null => {
    const counting = countingAt(evaluations, norm, epsilon);
    if (counting.length === 0) return null;
    const key = counting.map((run) => evaluations.indexOf(run)).join();
    const distances = sorted.get(key) ?? [...worstDistances(counting, norm).values()].sort((a, b) => a - b);
    sorted.set(key, distances);
    const firstBeyond = distances.findIndex((distance) => distance > reachOf(epsilon));
    return firstBeyond < 0 ? 0 : distances.length - firstBeyond;
  };
};

/**
 * The share of all images that stay right at each ε, with 95 % Wilson intervals; null at an ε about which no attack says anything. It is an upper
 * bound: a stronger attack could fool more images.
 */
export const robustnessCurve = (
  evaluations: readonly RunRecords[],
  norm: DistanceNorm,
  epsilon: readonly number[],
): RobustnessCurve => {
  const images = worstDistances(evaluations, norm).size;
  const standing = epsilon.map(standingAt(evaluations, norm));
  const intervals = standing.map((right) => (right === null ? null : wilsonInterval(right, images)));
  return {
    norm,
    images,
    attacks: [...new Set(runsOfNorm(evaluations, norm).map(({ attack }) => attack))],
    epsilon: [...epsilon],
    accuracy: standing.map((right) => (right === null ? null : images === 0 ? 0 : right / images)),
    low: intervals.map((interval) => interval?.[0] ?? null),
    high: intervals.map((interval) => interval?.[1] ?? null),
  };
};

/** Why the worst case within the balls of these attacks may be lower than the curve at the same ε; empty where it cannot be. */
const otherNormsText = (runs: readonly Run[], norm: DistanceNorm): string => {
  const radius = threatModelOf(runs)[norm];
  if (radius === undefined || runsOfNorm(runs, norm).length === runs.length) return '';
  return ` The worst case within ${threatModelText({ [norm]: radius })} also counts what attacks in other norms find there, so it may be lower.`;
};

/**
 * Which of these attacks a curve of this norm rests on, and where. `images`: how many images each attack had; null if nobody knows, or if curves
 * differ.
 */
export const curveText = (runs: readonly Run[], norm: DistanceNorm, images: number | null): string => {
  const own = runsOfNorm(runs, norm);
  if (own.length === 0) return `No attack works in ${norm === 'l2' ? 'L2' : 'L∞'}, so there is no curve.`;
  const [searching, radii] = [own.filter(searchesSmallest), fixedRadii(own, norm)];
  const titles = [...new Set(searching.map(({ attack }) => attacks[attack].title))].join(', ');
  const at = radii.map((radius) => threatModelText({ [norm]: radius })).join(' and ');
  const point =
    own.length === 1 ? '' : ' A point counts every attack, so it may lie below the number of a single one.';
  const rests =
    radii.length === 0
      ? ` An upper bound that rests on ${titles}.`
      : searching.length === 0
        ? ` The ${own.length === 1 ? 'attack' : 'attacks'} ran only at ${at}. The line joins ${radii.length === 1 ? 'this point' : 'these points'} with the clean accuracy at 0; nothing was measured between.${point}`
        : ` The attacks at a fixed ε count at ${at} only (the points).${point} The line is an upper bound that rests on ${titles} alone.`;
  const on = images === null ? '' : ` on ${plural(images, 'image')}`;
  const over = `Worst case per image over ${plural(own.length, 'attack')}${on}, with 95% intervals.`;
  return `${over}${rests}${otherNormsText(runs, norm)}`;
};
