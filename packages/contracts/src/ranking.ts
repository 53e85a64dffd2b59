/**
 * The ranking of trials: the worst case over the attacks of a trial, and the default metric.
 *
 * The threat model of a trial is the union of the balls of its bounded attacks (fixed ε, or a search up to it): for each norm, the ball with the
 * largest ε. In the worst case an image is fooled if any attack found an adversarial whose true distance lies inside one of these balls,
 * whatever the attack minimised. Without a bounded attack there is no ball. Every adversarial then counts, the attacks fool nearly every
 * image, and trials are ranked by distance. The distance of an image is the smallest that any attack found.
 */
import { z } from 'zod';
import { normTitles } from './attacks/define-attack.ts';
import { expandAttacks } from './attacks/presets.ts';
import { type AttackName, type AttackSpec, attacks, searchLimitOf } from './attacks.ts';
import { budgetsOfChoice } from './dataset-spec.ts';
import type { EvaluationMetricName } from './metrics.ts';
import type { SweepDefinition } from './sweep.ts';

export type Run = { readonly attack: AttackName; readonly settings: Readonly<Record<string, unknown>> };
export type Ball = { readonly norm: 'linf' | 'l2'; readonly epsilon: number };

const epsilon = (norm: string) =>
  z
    .number()
    .gt(0)
    .optional()
    .meta({ description: `The largest ε of the trial’s attacks at a fixed ε in ${norm}.` });

/** The radius of the ball of each norm; absent for a norm without a bounded attack. */
export const ThreatModel = z.strictObject({ linf: epsilon(normTitles.linf), l2: epsilon(normTitles.l2) });
export type ThreatModel = z.infer<typeof ThreatModel>;

/**
 * The ball of an attack at a fixed ε; undefined for an attack that searches for the smallest change. A search that goes no further than ε
 * succeeds on the same images as one run at ε, so it has that ball.
 */
export const ballOf = ({ attack, settings }: Run): Ball | undefined => {
  const { family, norm } = attacks[attack];
  const { epsilon, search } = settings;
  if (family !== 'fixed' || norm === 'l0' || typeof epsilon !== 'number') return undefined;
  if (search !== true) return { norm, epsilon };
  const limit = searchLimitOf({ attack, settings });
  return limit <= epsilon ? { norm, epsilon: limit } : undefined;
};

/** True for an attack at a fixed ε: its robust accuracy is the share of images that the attack does not fool within this ε. */
export const isBounded = (run: Run): boolean => ballOf(run) !== undefined;

export const threatModelOf = (runs: readonly Run[]): ThreatModel => {
  const radii: ThreatModel = {};
  for (const ball of runs.map(ballOf))
    if (ball) radii[ball.norm] = Math.max(radii[ball.norm] ?? 0, ball.epsilon);
  return radii;
};

/**
 * The largest measured distance that still counts as inside a ball of radius ε: images are float32, so the measured distance of an
 * adversarial at exactly ε is slightly more than ε. 1e-5 of ε covers sums over a few hundred thousand values, 1e-6 the pixel values
 * themselves (half a step of float32 at 1 is 3e-8).
 */
export const reachOf = (epsilon: number): number =>
  epsilon === 0 ? 0 : epsilon + Math.max(1e-6, 1e-5 * epsilon);

/** `L∞ 0.3 or L2 2`; empty without a ball. Radii have three significant digits: 8/255 is 0.0314. */
export const threatModelText = (balls: ThreatModel): string =>
  (['linf', 'l2'] as const)
    .flatMap((norm) => {
      const radius = balls[norm];
      return radius === undefined ? [] : [`${normTitles[norm]} ${Number(radius.toPrecision(3))}`];
    })
    .join(' or ');

/** `, within L∞ 0.3 or L2 2`, to continue a sentence with; empty without a ball. */
export const withinText = (balls: ThreatModel): string => {
  const text = threatModelText(balls);
  return text === '' ? '' : `, within ${text}`;
};

/*
 * The default metric.
 *
 * All trials of a sweep meet the same attacks, so their worst cases can be compared: by robust accuracy if the threat model has a ball,
 * otherwise by the median distance. Different sweeps run different attacks, so a ranking across sweeps compares one named attack.
 *
 * An attack at a fixed ε fools some of the images, so trials are ranked by robust accuracy. An attack that searches for the smallest change
 * fools nearly all images. Its robust accuracy is near 0 for every trial, so trials are ranked by the distance that it needs.
 */

/** The metric of the distance that an attack needs, in the norm that it minimises. */
export const distanceMetric = (attack: AttackName): EvaluationMetricName =>
  attacks[attack].norm === 'linf' ? 'medianLinf' : 'medianL2';

export const usualMetric = (run: Run): EvaluationMetricName =>
  isBounded(run) ? 'robustAccuracy' : distanceMetric(run.attack);

/** The usual metric for the name of an attack, without its settings; `undefined` means the worst case over all attacks. */
export const usualMetricOf = (attack: AttackName | undefined): EvaluationMetricName =>
  attack === undefined || attacks[attack].family === 'fixed' ? 'robustAccuracy' : distanceMetric(attack);

/**
 * The metric that has values under an attack of these runs, whatever its other settings; `undefined` means the worst case over all of
 * them. An attack that none of them is has the usual metric of its name.
 */
export const usualMetricAmong = (
  runs: readonly Run[],
  attack: AttackName | undefined,
): EvaluationMetricName => {
  const meant = attack === undefined ? runs : runs.filter((run) => run.attack === attack);
  const run = meant.find(isBounded) ?? meant[0];
  return run === undefined ? usualMetricOf(attack) : usualMetric(run);
};

export type Ranking = {
  /** Undefined: the worst case over the attacks of each run. */
  readonly attack: AttackName | undefined;
  readonly metric: EvaluationMetricName;
};

/**
 * The objective of a sweep; without one, its only attack, or the worst case over its attacks. `run` is the attack with its settings,
 * undefined for the worst case.
 */
export const objectiveOf = ({
  attacks: list,
  dataset,
  objective,
}: Pick<SweepDefinition, 'attacks' | 'dataset' | 'objective'>): {
  readonly run: AttackSpec | undefined;
  readonly metric: EvaluationMetricName;
} => {
  const runs = expandAttacks(list, { budgets: budgetsOfChoice(dataset) });
  if (objective !== undefined) {
    const named = runs.filter(({ attack }) => attack === objective.attack);
    const measured = objective.metric === 'robustAccuracy' ? named.find(isBounded) : undefined;
    return { run: measured ?? named[0], metric: objective.metric };
  }
  if (runs.length === 1) return { run: runs[0]!, metric: usualMetric(runs[0]!) };
  return { run: undefined, metric: usualMetricAmong(runs, undefined) };
};

/**
 * Why the trials of a sweep cannot be ranked by its objective: the sweep does not run the attack, or the attack has no fixed ε and so no
 * robust accuracy. `key`: the part of the objective that is wrong. Null for an objective that can rank. Definitions that an older version
 * stored may have such an objective.
 */
export const objectiveFault = ({
  attacks: list,
  dataset,
  objective,
}: Pick<SweepDefinition, 'attacks' | 'dataset' | 'objective'>): {
  readonly key: 'attack' | 'metric';
  readonly message: string;
} | null => {
  if (objective === undefined) return null;
  const { attack, metric } = objective;
  const runs = expandAttacks(list, { budgets: budgetsOfChoice(dataset) });
  const named = runs.filter((run) => run.attack === attack);
  if (named.length === 0) {
    const names = [...new Set(runs.map((run) => run.attack))].join(', ');
    return {
      key: 'attack',
      message: `Expected an attack of this sweep (${names}), but got ${attack}`,
    };
  }
  if (metric !== 'robustAccuracy' || named.some(isBounded)) return null;
  const fixed = attacks[attack].family === 'fixed' ? '. Or give the attack `search: false`' : '';
  return {
    key: 'metric',
    message: `Expected a metric that ${attack} has without a fixed ε, such as ${distanceMetric(attack)}, but got robustAccuracy${fixed}`,
  };
};

/** First an attack at a fixed ε that nearly every sweep runs; then the worst case, for trials without this attack. */
const rankingsAcrossSweeps: readonly [Ranking, Ranking] = [
  { attack: 'pgd-linf', metric: 'robustAccuracy' },
  { attack: undefined, metric: 'robustAccuracy' },
];

/** The default rankings of the trials of a sweep, or of all sweeps. The leaderboard uses the first one under which it finds a trial. */
export const usualRankings = (definition?: SweepDefinition): readonly [Ranking, ...Ranking[]] => {
  if (!definition) return rankingsAcrossSweeps;
  const { run, metric } = objectiveOf(definition);
  return [{ attack: run?.attack, metric }];
};

/** The ranks as people read them: `1=` for rows that share a rank, since nothing but chance orders them, and `–` for a row without a rank. */
export const rankTexts = (rows: readonly { readonly rank: number | null }[]): readonly string[] => {
  const counts = new Map<number | null, number>();
  for (const { rank } of rows) counts.set(rank, (counts.get(rank) ?? 0) + 1);
  return rows.map(({ rank }) => (rank === null ? '–' : `${rank}${counts.get(rank) === 1 ? '' : '='}`));
};
