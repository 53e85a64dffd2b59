/** The objectives of a sweep: what ranks its trials, and what a search improves. */
import { z } from 'zod';
import { type AttackName, attackNames } from './attacks.ts';
import { likeThis } from './like-this.ts';
import { EvaluationMetricName, evaluationMetrics } from './metrics.ts';

/** Several attacks, as other parts of a sweep file and options name them. */
const severalAttacks = /^(worst|preset:.*)$/;

const OneAttack = z.enum(attackNames as [AttackName, ...AttackName[]], {
  error: ({ input }) =>
    typeof input === 'string' && severalAttacks.test(input)
      ? 'Expected the name of one attack; leave it out, or leave out the whole objective, to rank by the worst case over all attacks'
      : undefined,
});

export const Objective = z
  .strictObject(
    {
      attack: OneAttack.optional().meta({
        description:
          'Default: the worst case over the attacks; for the clean accuracy, all test images without an attack.',
      }),
      metric: EvaluationMetricName,
      direction: z
        .enum(['max', 'min'])
        .optional()
        .meta({ description: 'Default: the usual direction of the metric.' }),
    },
    { error: likeThis('an object such as { metric: robustAccuracy }') },
  )
  .meta({ id: 'Objective' });
export type Objective = z.infer<typeof Objective>;

export const directionOf = ({ metric, direction }: Objective): 'max' | 'min' =>
  direction ?? evaluationMetrics[metric].direction;

/** The objectives as a list; empty if the definition names none. */
export const listObjectives = (
  objective: Objective | readonly Objective[] | undefined,
): readonly Objective[] =>
  objective === undefined ? [] : Array.isArray(objective) ? objective : [objective as Objective];
