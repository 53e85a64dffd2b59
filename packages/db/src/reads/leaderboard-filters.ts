import type { LeaderboardQuery } from '@funnel/contracts';
import { hyperparameterCondition, type Parameter, wordCondition } from './hyperparameter-filters.ts';

/** Conditions on scores `s`: what to rank, and which trials. An empty attack is the worst case. Errors: INVALID_REQUEST. */
export const scoreConditions = (
  { attack, metric, sweep, recipe, dataset, where }: LeaderboardQuery,
  parameter: Parameter,
): string =>
  [
    `s.attack = ${parameter(attack ?? '')} AND s.metric = ${parameter(metric)}`,
    ...(sweep === undefined ? [] : [`s.sweep_id = ${parameter(sweep)}`]),
    ...(recipe.length === 0 ? [] : [wordCondition('recipe', recipe, parameter)]),
    ...(dataset === undefined ? [] : [wordCondition('dataset', [dataset], parameter)]),
    ...where.map((filter) => hyperparameterCondition(filter, parameter)),
  ].join(' AND ');

export const parameters = (): { readonly values: unknown[]; readonly parameter: Parameter } => {
  const values: unknown[] = [];
  return { values, parameter: (value) => `$${values.push(value)}` };
};
