/** Outcomes of other sweeps, as the database keeps them beside the definition. */
import { ExtendedNumber, type ResolvedObjective, SearchPoint } from '@funnel/contracts';
import type { Observation } from '@funnel/search';
import { z } from 'zod';
import { utilitiesOf } from './unit-outcome.ts';

/** `values`: of each objective, mean over the seeds; null: the unit is bad. */
export const EarlierObservation = z.strictObject({
  point: SearchPoint,
  values: z.array(ExtendedNumber).min(1).max(4).nullable(),
  variances: z.array(z.number().min(0)).max(4).optional(),
});
export type EarlierObservation = z.infer<typeof EarlierObservation>;

/** The stored observations as the search reads them. */
export const readEarlier = (
  stored: readonly unknown[],
  objectives: readonly ResolvedObjective[],
): readonly Observation[] =>
  stored.map((each) => {
    const { point, values, variances } = EarlierObservation.parse(each);
    if (values === null) return { point, outcome: { status: 'bad' } };
    const measured = {
      status: 'measured',
      values: values.map(Number),
      ...(variances && { variances }),
    } as const;
    return { point, outcome: utilitiesOf(measured, objectives) };
  });
