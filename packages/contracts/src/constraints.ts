/** Conditions on the outcome of a configuration, as users write them: `cleanAccuracy >= 0.95`, `verdict != masked`. */
import { z } from 'zod';
import { type AttackName, attackNames } from './attacks.ts';
import { type EvaluationMetricName, evaluationMetricNames } from './metrics.ts';
import { type TrialVerdict, trialVerdicts } from './trial-verdict.ts';

export type Condition =
  | {
      readonly kind: 'metric';
      /** Undefined: the clean accuracy on all test images, or else the worst case over the attacks. */
      readonly attack: AttackName | undefined;
      readonly metric: EvaluationMetricName;
      readonly operator: '>=' | '<=' | '>' | '<';
      readonly bound: number;
    }
  | { readonly kind: 'verdict'; readonly not: Exclude<TrialVerdict, 'ok'> };

const expected =
  'a condition such as `cleanAccuracy >= 0.95`, `pgd-linf robustAccuracy > 0.2` or `verdict != masked`';

const refused = trialVerdicts.filter((verdict) => verdict !== 'ok');

const pattern = /^(?:([a-z0-9-]+) )?([A-Za-z0-9]+) (>=|<=|>|<) (-?[0-9.]+(?:e-?[0-9]+)?)$/;

/** Null for a text that is no condition. */
export const readConstraint = (text: string): Condition | null => {
  const words = text.trim().replace(/\s+/g, ' ');
  const not = refused.find((verdict) => words === `verdict != ${verdict}`);
  if (not) return { kind: 'verdict', not };
  const [, attack, metric, operator, number] = pattern.exec(words) ?? [];
  const bound = Number(number);
  if (!operator || !Number.isFinite(bound)) return null;
  if (!evaluationMetricNames.includes(metric as EvaluationMetricName)) return null;
  if (attack !== undefined && !attackNames.includes(attack as AttackName)) return null;
  return {
    kind: 'metric',
    attack: attack as AttackName | undefined,
    metric: metric as EvaluationMetricName,
    operator: operator as '>=',
    bound,
  };
};

export const Constraint = z
  .string()
  .max(200)
  .superRefine((text, context) => {
    if (readConstraint(text)) return;
    context.addIssue({
      code: 'custom',
      input: text,
      message: `Expected ${expected}, but got ${JSON.stringify(text)}. Metrics: ${evaluationMetricNames.join(', ')}; verdicts: ${refused.join(', ')}`,
    });
  });
