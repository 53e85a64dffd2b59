/**
 * What runs are ranked by where nobody says. An attack at a fixed ε leaves a share of the images standing: its robust accuracy. One that
 * looks for the smallest change nearly always succeeds in the end: its robust accuracy is 0 for everybody, the distance that it needs is not.
 */
import { type AttackName, type AttackSpec, attacks, expandAttacks } from './attacks.ts';
import type { EvaluationMetricName } from './metrics.ts';
import type { SweepDefinition } from './sweep.ts';

type Run = { readonly attack: AttackName; readonly settings: Readonly<Record<string, unknown>> };

/** Held to a fixed ε: its robust accuracy says how many images stand within that ε. */
export const isBounded = ({ attack, settings }: Run): boolean =>
  attacks[attack].family === 'fixed' && settings.search !== true;

/** Of how far an attack must go, in the norm that it minimises. */
export const distanceMetric = (attack: AttackName): EvaluationMetricName =>
  attacks[attack].norm === 'linf' ? 'medianLinf' : 'medianL2';

export const usualMetric = (run: Run): EvaluationMetricName =>
  isBounded(run) ? 'robustAccuracy' : distanceMetric(run.attack);

/** Where only the attack's name is known, or that the worst case over all attacks is asked for. */
export const usualMetricOf = (attack: AttackName | undefined): EvaluationMetricName =>
  attack === undefined || attacks[attack].family === 'fixed' ? 'robustAccuracy' : distanceMetric(attack);

/** A sweep's own objective; else its first attack at a fixed ε, else its first attack by the distance that it needs. */
export const objectiveOf = (
  definition: SweepDefinition,
): { readonly run: AttackSpec; readonly metric: EvaluationMetricName } => {
  const runs = expandAttacks(definition.attacks, { dataset: definition.dataset.name });
  const { objective } = definition;
  const run = runs.find(({ attack }) => attack === objective?.attack) ?? runs.find(isBounded) ?? runs[0]!;
  return { run, metric: objective?.metric ?? usualMetric(run) };
};
