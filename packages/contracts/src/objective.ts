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

import { expandAttacks } from './attacks/presets.ts';
import { type AttackName, type AttackSpec, attacks } from './attacks.ts';
import type { EvaluationMetricName } from './metrics.ts';
import type { SweepDefinition } from './sweep.ts';
import { isBounded, type Run } from './threat-model.ts';

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
