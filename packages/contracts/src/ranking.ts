/**
 * The ranking of trials: the worst case over the attacks of a trial, and the default metric.
 *
 * The threat model of a trial is the union of the balls of its bounded attacks (fixed ε, or a search up to it): for each norm, the ball with the
 * largest ε. In the worst case an image is fooled if any attack found an adversarial whose true distance lies inside one of these balls,
 * whatever the attack minimised. Without a bounded attack there is no ball. Every adversarial then counts, the attacks fool nearly every
 * image, and trials are ranked by distance. The distance of an image is the smallest that any attack found.
 */
import { expandAttacks } from './attacks/presets.ts';
import { type AttackName, type AttackSpec, attacks, furthestOf, searchLimitOf } from './attacks.ts';
import { budgetsOfChoice } from './dataset-spec.ts';
import { type EvaluationMetricName, evaluationMetrics } from './metrics.ts';
import { directionOf, listObjectives } from './objectives.ts';
import { worstCaseHas } from './searched-norms.ts';
import type { SweepDefinition } from './sweep.ts';
import { type ThreatModel, threatModelText } from './threat-model.ts';

export type Run = { readonly attack: AttackName; readonly settings: Readonly<Record<string, unknown>> };
export type Ball = { readonly norm: 'linf' | 'l2'; readonly epsilon: number };

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

/**
 * ` at any size` for an attack without a fixed ε, or ` up to L∞ 0.5` if it tries no larger change, to stand after the images that it fools: these
 * cannot be compared with those of an attack at a fixed ε. Empty for other attacks, and for those that count pixels. `within`: the balls of a
 * worst case, which count instead.
 */
export const sizeText = (run: Run & { readonly within?: ThreatModel | undefined }): string => {
  const { norm } = attacks[run.attack];
  if (run.within !== undefined) return threatModelText(run.within) === '' ? ' at any size' : '';
  if (norm === 'l0' || isBounded(run)) return '';
  const limit = furthestOf(run);
  const isAny = norm === 'linf' ? limit >= 1 : limit === Number.POSITIVE_INFINITY;
  return isAny ? ' at any size' : ` up to ${threatModelText({ [norm]: limit })}`;
};

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
export const distanceMetric = (attack: AttackName): 'medianL2' | 'medianLinf' =>
  attacks[attack].norm === 'linf' ? 'medianLinf' : 'medianL2';

/** Whether this distance says how robust a model is. At a fixed ε, every change that fools has about the same size. */
export const tellsByDistance = (run: Run): boolean => !isBounded(run) || run.settings.search === true;

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

/** An objective with the attack that it means. `run` is undefined for the worst case, and for the clean accuracy without an attack. */
export type ResolvedObjective = {
  readonly run: AttackSpec | undefined;
  readonly metric: EvaluationMetricName;
  readonly direction: 'max' | 'min';
};

type Objectives = Pick<SweepDefinition, 'attacks' | 'dataset' | 'objective'>;

/** A metric, and the attack that it belongs to, by name. */
type Named = { readonly attack?: AttackName | undefined; readonly metric: EvaluationMetricName };

/** The attack of a sweep that a metric means: of several with the name, one that has the metric. Undefined: see `ResolvedObjective`. */
export const runOf = ({ attack, metric }: Named, runs: readonly AttackSpec[]): AttackSpec | undefined => {
  const named = runs.filter((run) => run.attack === attack);
  return (metric === 'robustAccuracy' ? named.find(isBounded) : undefined) ?? named[0];
};

/** The objectives of a sweep, at least one; without any, its only attack, or the worst case over its attacks. */
export const objectivesOf = ({
  attacks: list,
  dataset,
  objective,
}: Objectives): readonly [ResolvedObjective, ...ResolvedObjective[]] => {
  const runs = expandAttacks(list, { budgets: budgetsOfChoice(dataset) });
  const [first, ...others] = listObjectives(objective).map(
    (each): ResolvedObjective => ({
      run: runOf(each, runs),
      metric: each.metric,
      direction: directionOf(each),
    }),
  );
  if (first) return [first, ...others];
  const only = runs.length === 1 ? runs[0]! : undefined;
  const metric = only ? usualMetric(only) : usualMetricAmong(runs, undefined);
  return [{ run: only, metric, direction: evaluationMetrics[metric].direction }];
};

/** The first objective of a sweep: it ranks the trials. */
export const objectiveOf = (definition: Objectives): ResolvedObjective => objectivesOf(definition)[0];

type ObjectiveFault = {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly input: unknown;
};

/** Why an attack of a sweep has no value of a metric, and which of the two is wrong; null if it has one. */
export const metricFault = (
  { attack, metric }: Named,
  runs: readonly AttackSpec[],
): { readonly key: 'attack' | 'metric'; readonly message: string } | null => {
  const named = attack === undefined ? runs : runs.filter((run) => run.attack === attack);
  if (named.length === 0) {
    const names = [...new Set(runs.map((run) => run.attack))].join(', ');
    return { key: 'attack', message: `Expected an attack of this sweep (${names}), but got ${attack}` };
  }
  if (attack === undefined && !worstCaseHas(metric, runs))
    return {
      key: 'metric',
      message: `Expected a metric that the worst case has, such as ${usualMetricAmong(runs, undefined)}, but got ${metric}: no attack of this sweep works in this norm`,
    };
  if (metric !== 'robustAccuracy' || named.some(isBounded)) return null;
  const what = attack ?? 'the worst case';
  const fixed = attack && attacks[attack].family === 'fixed' ? '. Or give the attack `search: false`' : '';
  return {
    key: 'metric',
    message: `Expected a metric that ${what} has without a fixed ε, such as ${distanceMetric(attack ?? named[0]!.attack)}, but got robustAccuracy${fixed}`,
  };
};

/**
 * Why the trials of a sweep cannot be ranked by its objectives: the sweep does not run an attack, or the attack has no fixed ε and so no
 * robust accuracy. `path`: the part of the objective that is wrong. Definitions that an older version stored may have such an objective.
 */
export const objectiveFaults = ({
  attacks: list,
  dataset,
  objective,
}: Objectives): readonly ObjectiveFault[] => {
  const runs = expandAttacks(list, { budgets: budgetsOfChoice(dataset) });
  const all = listObjectives(objective);
  return all.flatMap((each, place): readonly ObjectiveFault[] => {
    const fault = metricFault(each, runs);
    const at = Array.isArray(objective) ? [place] : [];
    const twin = all.findIndex(({ attack, metric }) => attack === each.attack && metric === each.metric);
    if (!fault && twin < place)
      return [
        {
          path: ['objective', place],
          message: `Expected each objective once, but got that of objective[${twin}] again`,
          input: each,
        },
      ];
    return fault
      ? [{ path: ['objective', ...at, fault.key], message: fault.message, input: each[fault.key] }]
      : [];
  });
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

type Ranked = { readonly rank: number | null; readonly rung?: number };

/**
 * The ranks as people read them: `1=` for rows that share a rank, since nothing but chance orders them, and `–` for a row without a rank.
 * `rungs`: as in the query of the leaderboard. With `highest`, rows of different rungs share no rank.
 */
export const rankTexts = (
  rows: readonly Ranked[],
  rungs: 'highest' | 'all' = 'highest',
): readonly string[] => {
  const keyOf = ({ rank, rung }: Ranked) => (rungs === 'all' ? `${rank}` : `${rung}/${rank}`);
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(keyOf(row), (counts.get(keyOf(row)) ?? 0) + 1);
  return rows.map((row) =>
    row.rank === null ? '–' : `${row.rank}${counts.get(keyOf(row)) === 1 ? '' : '='}`,
  );
};
