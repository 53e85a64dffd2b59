/** Which rows of the leaderboard cannot be told apart: a letter for each largest set of them. */
import {
  type AttackSpec,
  attackKey,
  attacks,
  type EvaluationMetricName,
  evaluationMetrics,
  type Interval,
  lettered,
  lettersOf,
  type Metric,
  mcNemar,
  overlap,
  type Run,
  seedsDiffer,
} from '@funnel/contracts';
import type { Tx } from '../connection/transaction.ts';
import { reachesOf } from '../scores/worst-cases.ts';
import { type SeedEvidence, seedShares } from './evidence.ts';
import { type AttackStage, attackStages, readStageImages } from './stage-images.ts';

/** Two classifiers that differ more rarely by chance are told apart. */
const significance = 0.05;

type Compared = Run & { readonly seeds: readonly SeedEvidence[]; readonly interval: Interval | null };

/** The images of a row: which they are, and for each whether the classifier counts as right. */
type Images = { readonly which: string; readonly right: string };

/** The attack stages that count for one seed of a row, with the reach of each. */
const countingStages = ({ ordinal, stage_id }: SeedEvidence, stages: readonly AttackStage[]) => {
  if (ordinal !== -1) return [{ countsFully: true, l2: null, linf: null, stage: stage_id }];
  const reaches = reachesOf(stages);
  return stages.map((stage, i) => ({ ...reaches[i]!, stage: stage.stage_id }));
};

/** The settings with the defaults of those that an older version did not have. */
const fullSettings = ({ attack, settings }: Run): Run['settings'] =>
  attacks[attack].settings.safeParse(settings).data ?? settings;

/**
 * Rows with the same text may be compared: they are about the same data set, and met the same attacks with the same settings. The clean accuracy
 * depends on no attack.
 */
const conditionsOf = (
  row: Compared,
  stages: ReadonlyMap<string, readonly AttackStage[]>,
  metric: EvaluationMetricName,
): string => {
  const [first] = row.seeds;
  const runs = metric === 'cleanAccuracy' ? [] : ((first && stages.get(first.trial_id)) ?? [row]);
  const keys = runs.map((run) =>
    attackKey({ attack: run.attack, settings: fullSettings(run) } as AttackSpec),
  );
  return [first?.dataset, ...keys.sort()].join('\n');
};

/** The images of each row with all of its seeds, one seed after the other. */
const readImages = async (
  tx: Tx,
  rows: readonly Compared[],
  stages: ReadonlyMap<string, readonly AttackStage[]>,
  metric: 'robustAccuracy' | 'cleanAccuracy',
): Promise<readonly Images[]> => {
  const seeds = rows.flatMap((row) => row.seeds);
  const wanted = seeds.flatMap((seed, i) =>
    countingStages(seed, stages.get(seed.trial_id) ?? []).map((counting) => ({ ...counting, seed: i })),
  );
  const found = await readStageImages(tx, wanted);
  const ofSeeds = seeds.map((): (typeof found)[number][] => []);
  for (const stage of found) ofSeeds[wanted[stage.place]!.seed]!.push(stage);
  let next = 0;
  return rows.map((row) => {
    const own = ofSeeds.slice(next, next + row.seeds.length);
    next += row.seeds.length;
    const right = own.map(([first, ...others]) =>
      Array.from(first?.correct ?? '', (letter, image) => {
        const isFooled = first!.fooled[image] === 't' || others.some(({ fooled }) => fooled[image] === 't');
        return metric === 'robustAccuracy' && isFooled ? 'f' : letter;
      }).join(''),
    );
    return {
      which: own.map(([first], i) => `${row.seeds[i]!.dataset} ${first?.which}`).join(),
      right: right.join(''),
    };
  });
};

/** The p-value for two rows with the same images. */
const compareImages = ({ right }: Images, { right: other }: Images): number => {
  let [onlyFirst, onlySecond] = [0, 0];
  for (let i = 0; i < right.length; i++)
    if (right[i] !== other[i]) right[i] === 't' ? onlyFirst++ : onlySecond++;
  return mcNemar(onlyFirst, onlySecond);
};

/**
 * The letters of the first rows of a ranking, by place; none for a row that is not compared: one without a value, and one about another data set or
 * other attacks than the first row with a value. Shares of all images are compared image by image where two rows have the same images, and as many
 * seeds; several seeds must differ, too. Anything else differs if the intervals do not overlap. A metric of which no value is better has no letters.
 */
export const compareRows = async (
  tx: Tx,
  rows: readonly Compared[],
  metric: EvaluationMetricName,
): Promise<readonly (string | undefined)[]> => {
  const measured = rows.slice(0, lettered).flatMap(({ interval }, place) => (interval ? [place] : []));
  const { isOverSuccesses }: Metric = evaluationMetrics[metric];
  if (measured.length < 2 || isOverSuccesses) return [];
  const ofWorstCases = measured.flatMap((place) =>
    rows[place]!.seeds.filter(({ ordinal }) => ordinal === -1),
  );
  const stages = await attackStages(
    tx,
    ofWorstCases.map(({ trial_id }) => trial_id),
  );
  const conditions = measured.map((place) => conditionsOf(rows[place]!, stages, metric));
  const places = measured.filter((_, i) => conditions[i] === conditions[0]);
  const compared = places.map((place) => rows[place]!);
  if (compared.length < 2) return [];
  const images =
    metric === 'robustAccuracy' || metric === 'cleanAccuracy'
      ? await readImages(tx, compared, stages, metric)
      : null;
  const shares = compared.map(({ seeds }) => seedShares(metric, seeds) ?? []);
  const differ = (i: number, j: number): boolean => {
    const [first, second] = [images?.[i], images?.[j]];
    return first && second && first.which === second.which && first.right.length === second.right.length
      ? compareImages(first, second) <= significance && seedsDiffer(shares[i]!, shares[j]!)
      : !overlap(compared[i]!.interval!, compared[j]!.interval!);
  };
  const letters = lettersOf(compared.length, differ);
  const byPlace = new Map(places.map((place, i) => [place, letters?.[i]]));
  return rows.map((_, place) => byPlace.get(place));
};
