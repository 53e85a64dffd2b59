/** The choices of a sweep: each hyperparameter that differs between its configurations, and the configurations with each value. */
import {
  type HyperparameterName,
  type HyperparameterValue,
  hyperparameterDeclaration,
  isNumeric,
} from '@funnel/contracts';
import { groupBy } from '../group.ts';
import type { Configuration } from '../measured.ts';

type Values = Configuration['hyperparameters'];

/** A value as a reader sees it. A β means nothing without its unit, so the two are one choice. */
export const valueText = (name: string, hyperparameters: Values): string => {
  const value = String(hyperparameters[name]);
  if (name !== 'beta') return value;
  return hyperparameters.betaUnit === 'floor' ? `${value} × floor` : value;
};

const titleOf = (name: string): string => hyperparameterDeclaration(name as HyperparameterName).title; // Trials have declared hyperparameters only.

export type Choice = {
  readonly name: string;
  readonly title: string;
  readonly values: readonly { readonly value: string; readonly members: ReadonlySet<Configuration> }[];
};

/** Numbers by size, texts in the order in which they come; every β in losses before every multiple of the floor. */
const order = (name: string, a: Configuration, b: Configuration): number => {
  const unit = ({ hyperparameters }: Configuration) => Number(hyperparameters.betaUnit === 'floor');
  if (!isNumeric(hyperparameterDeclaration(name as HyperparameterName))) return 0; // as above
  const number = ({ hyperparameters }: Configuration) => Number(hyperparameters[name]);
  return (name === 'beta' ? unit(a) - unit(b) : 0) || number(a) - number(b);
};

const has = (name: string, value: HyperparameterValue | undefined): boolean =>
  value !== undefined && name !== 'betaUnit';

/** In the order of the hyperparameters; those with one value are no choice. */
export const choicesOf = (configurations: readonly Configuration[]): readonly Choice[] => {
  const names = [...new Set(configurations.flatMap(({ hyperparameters }) => Object.keys(hyperparameters)))];
  return names.flatMap((name) => {
    const members = configurations.filter(({ hyperparameters }) => has(name, hyperparameters[name]));
    const groups = groupBy(
      members.toSorted((a, b) => order(name, a, b)),
      ({ hyperparameters }) => valueText(name, hyperparameters),
    );
    if (groups.size < 2) return [];
    const values = [...groups].map(([value, group]) => ({ value, members: new Set(group) }));
    return [{ name, title: titleOf(name), values }];
  });
};
