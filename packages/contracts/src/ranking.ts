/**
 * What the worst case over the attacks of a trial counts.
 *
 * The trial's threat model is the union of the balls that its bounded attacks (fixed ε, no search) are held to: for each norm the largest
 * ε among them. An image is fooled in the worst case if any attack, whatever it minimised, found an adversarial inside one of these balls,
 * by its true distance. What a bounded attack finds lies in its own ball. Where no attack is bounded there is no ball: everything found
 * counts, which is nearly every image, and distances are what to rank by. The distance of an image is the least that any attack found.
 */
import { z } from 'zod';
import { normTitles } from './attacks/define-attack.ts';
import { expandAttacks } from './attacks/presets.ts';
import { type AttackName, type AttackSpec, attacks } from './attacks.ts';
import type { EvaluationMetricName } from './metrics.ts';
import type { SweepDefinition } from './sweep.ts';

export type Run = { readonly attack: AttackName; readonly settings: Readonly<Record<string, unknown>> };
export type Ball = { readonly norm: 'linf' | 'l2'; readonly epsilon: number };

const epsilon = (norm: string) =>
  z
    .number()
    .gt(0)
    .optional()
    .meta({ description: `The largest ε that an attack of the trial is held to in ${norm}.` });

/** By norm, the radius of the ball; a norm without a bounded attack has none. */
export const ThreatModel = z.strictObject({ linf: epsilon(normTitles.linf), l2: epsilon(normTitles.l2) });
export type ThreatModel = z.infer<typeof ThreatModel>;

/** The ball that an attack is held to; undefined for one that looks for the smallest change, and is judged by how far it had to go. */
export const ballOf = ({ attack, settings }: Run): Ball | undefined => {
  const { family, norm } = attacks[attack];
  const bounded = family === 'fixed' && norm !== 'l0' && settings.search !== true;
  return bounded && typeof settings.epsilon === 'number' ? { norm, epsilon: settings.epsilon } : undefined;
};

/** Held to a fixed ε: its robust accuracy says how many images stand within that ε. */
export const isBounded = (run: Run): boolean => ballOf(run) !== undefined;

export const threatModelOf = (runs: readonly Run[]): ThreatModel => {
  const largest: ThreatModel = {};
  for (const ball of runs.map(ballOf))
    if (ball) largest[ball.norm] = Math.max(largest[ball.norm] ?? 0, ball.epsilon);
  return largest;
};

/**
 * How far from an image its ball of radius ε reaches: images are float32, so what was made at exactly ε is measured a little beyond it.
 * 1e-5 of ε covers sums over a few hundred thousand values, 1e-6 the pixel values themselves (half a step of float32 at 1 is 3e-8).
 */
export const reachOf = (epsilon: number): number =>
  epsilon === 0 ? 0 : epsilon + Math.max(1e-6, 1e-5 * epsilon);

/** `L∞ 0.3 or L2 2`; empty without a ball. */
export const threatModelText = (balls: ThreatModel): string =>
  (['linf', 'l2'] as const)
    .flatMap((norm) => (balls[norm] === undefined ? [] : [`${normTitles[norm]} ${balls[norm]}`]))
    .join(' or ');

/** `, within L∞ 0.3 or L2 2`, to go on with a sentence; empty without a ball. */
export const withinText = (balls: ThreatModel): string => {
  const text = threatModelText(balls);
  return text === '' ? '' : `, within ${text}`;
};

/**
 * What runs are ranked by where nobody says.
 *
 * Within a sweep all trials meet the same attacks, so that the worst case over them (`threat-model.ts`) is the same question to each: robust
 * accuracy where a ball says how far an attack may go, else the median distance. Across sweeps the attacks differ, and what is compared
 * is one of them by its name.
 *
 * An attack at a fixed ε leaves a share of the images standing: its robust accuracy. One that looks for the smallest change nearly always
 * succeeds in the end: its robust accuracy is 0 for everybody, the distance that it needs is not.
 */

/** Of how far an attack must go, in the norm that it minimises. */
export const distanceMetric = (attack: AttackName): EvaluationMetricName =>
  attacks[attack].norm === 'linf' ? 'medianLinf' : 'medianL2';

export const usualMetric = (run: Run): EvaluationMetricName =>
  isBounded(run) ? 'robustAccuracy' : distanceMetric(run.attack);

/** Where only the attack's name is known, or that the worst case over all attacks is asked for. */
export const usualMetricOf = (attack: AttackName | undefined): EvaluationMetricName =>
  attack === undefined || attacks[attack].family === 'fixed' ? 'robustAccuracy' : distanceMetric(attack);

export type Ranking = {
  /** Undefined: the worst case over the attacks of each run. */
  readonly attack: AttackName | undefined;
  readonly metric: EvaluationMetricName;
};

/**
 * A sweep's own objective; else the worst case over its attacks, or its only attack. `run`: the attack with its settings, undefined for
 * the worst case.
 */
export const objectiveOf = ({
  attacks: list,
  dataset,
  objective,
}: Pick<SweepDefinition, 'attacks' | 'dataset' | 'objective'>): {
  readonly run: AttackSpec | undefined;
  readonly metric: EvaluationMetricName;
} => {
  const runs = expandAttacks(list, { dataset: dataset.name });
  if (objective !== undefined)
    return { run: runs.find(({ attack }) => attack === objective.attack), metric: objective.metric };
  if (runs.length === 1) return { run: runs[0]!, metric: usualMetric(runs[0]!) };
  return { run: undefined, metric: usualMetric(runs.find(isBounded) ?? runs[0]!) };
};

/** What nearly every list of attacks has at a fixed ε, and what there is to say of runs that have not met it. */
const acrossSweeps: readonly [Ranking, Ranking] = [
  { attack: 'pgd-linf', metric: 'robustAccuracy' },
  { attack: undefined, metric: 'robustAccuracy' },
];

/** What runs are ranked by unless someone says: those of a sweep, or of all sweeps. The first of them that finds any. */
export const usualRankings = (definition?: SweepDefinition): readonly [Ranking, ...Ranking[]] => {
  if (!definition) return acrossSweeps;
  const { run, metric } = objectiveOf(definition);
  return [{ attack: run?.attack, metric }];
};
