/** Conditions on the outcome of a configuration, as users write them: `cleanAccuracy >= 0.95`, `verdict != masked`. */
import { z } from 'zod';
import { type AttackName, attackNames } from './attacks.ts';
import { didYouMean } from './did-you-mean.ts';
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

const looseWords = /^\s*(?:(\S+)\s+)?([^\s<>=!]+)\s*(?:[<>=!]=?)/;

/** The name in a condition that is no attack or no metric, with the ones that it resembles; else every metric and verdict. */
const helpWith = (text: string): string => {
  const [, attack, metric = ''] = looseWords.exec(text) ?? [];
  const wrong: readonly (readonly [string | undefined, readonly string[]])[] = [
    [attack, attackNames],
    [metric, [...evaluationMetricNames, 'verdict']],
  ];
  for (const [word, names] of wrong) {
    const question = word === undefined || names.includes(word) ? null : didYouMean(word, names);
    if (question) return `${JSON.stringify(word)} is unknown: ${question}`;
  }
  return `Metrics: ${evaluationMetricNames.join(', ')}; verdicts: ${refused.join(', ')}`;
};

export const Constraint = z
  .string()
  .max(200)
  .superRefine((text, context) => {
    if (readConstraint(text)) return;
    context.addIssue({
      code: 'custom',
      input: text,
      message: `Expected ${expected}, but got ${JSON.stringify(text)}. ${helpWith(text)}`,
    });
  });
