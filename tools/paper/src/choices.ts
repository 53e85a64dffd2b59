/** The values of the hyperparameters of a sweep, and its choices: those that differ between its configurations. */
import { type HyperparameterName, hyperparameterDeclaration, isNumeric } from '@funnel/contracts';
import { groupBy } from './group.ts';
import type { Configuration } from './measured.ts';

type Values = Configuration['hyperparameters'];

/** A value as a reader sees it. A β means nothing without its unit, so the two are one choice. */
export const valueText = (name: string, hyperparameters: Values): string => {
  const value = String(hyperparameters[name]);
  if (name !== 'beta') return value;
  return hyperparameters.betaUnit === 'floor' ? `${value} × floor` : value;
};

export const titleOf = (name: string): string => hyperparameterDeclaration(name as HyperparameterName).title; // Trials have declared hyperparameters only.

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

/** The configurations with each value of a hyperparameter, in the order of the values. */
export const valuesOf = (
  name: string,
  configurations: readonly Configuration[],
): ReadonlyMap<string, readonly Configuration[]> =>
  groupBy(
    configurations
      .filter(({ hyperparameters }) => name in hyperparameters)
      .toSorted((a, b) => order(name, a, b)),
    ({ hyperparameters }) => valueText(name, hyperparameters),
  );

export const hyperparameterNamesOf = (configurations: readonly Configuration[]): readonly string[] => [
  ...new Set(configurations.flatMap(({ hyperparameters }) => Object.keys(hyperparameters))),
];

/** In the order of the hyperparameters; those with one value are no choice, and the unit of β belongs to β. */
export const choicesOf = (configurations: readonly Configuration[]): readonly Choice[] =>
  hyperparameterNamesOf(configurations)
    .filter((name) => name !== 'betaUnit')
    .flatMap((name) => {
      const groups = valuesOf(name, configurations);
      if (groups.size < 2) return [];
      const values = [...groups].map(([value, group]) => ({ value, members: new Set(group) }));
      return [{ name, title: titleOf(name), values }];
    });
