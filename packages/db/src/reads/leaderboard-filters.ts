import type { LeaderboardQuery } from '@funnel/contracts';
import { type Conditions, knobConditions } from './knob-filters.ts';

/**
 * Conditions on scores `s` and their trials `t`, and their values from $1 on: what to rank, and which trials. An empty attack is the
 * worst case.
 */
export const scoreConditions = ({
  attack,
  metric,
  sweep,
  recipe,
  dataset,
  where,
}: LeaderboardQuery): Conditions => {
  const values: unknown[] = [attack ?? '', metric];
  const parts = ['s.attack = $1 AND s.metric = $2'];
  if (sweep !== undefined) parts.push(`s.sweep_id = $${values.push(sweep)}`);
  if (recipe.length > 0) parts.push(`t.recipe = ANY($${values.push(recipe)})`);
  if (dataset !== undefined) parts.push(`t.dataset = $${values.push(dataset)}`);
  const knobs = knobConditions(where, values.length + 1);
  return { sql: parts.join(' AND ') + knobs.sql, values: [...values, ...knobs.values] };
};

/** The groups of rows that a ranking walks through. */
export type Segment = { readonly masked: boolean; readonly missing: boolean };

export const segmentsOf = (masked: LeaderboardQuery['masked']): readonly Segment[] =>
  [false, true].flatMap((missing) => [
    { masked: false, missing },
    ...(masked === 'hide' ? [] : [{ masked: true, missing }]),
  ]);
