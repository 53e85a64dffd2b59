import {
  type HyperparameterName,
  type HyperparameterValue,
  hyperparameterDeclaration,
  hyperparameterNames,
  isNumeric,
} from '@funnel/contracts';
import type { Column, ColumnType } from './table.ts';

type HasHyperparameters = { readonly hyperparameters: Readonly<Record<string, HyperparameterValue>> };

/** By its declaration and not by what a sweep gave it: the files of two sweeps have columns of the same types. */
const typeOf = (name: HyperparameterName): ColumnType => {
  const hyperparameter = hyperparameterDeclaration(name);
  if (isNumeric(hyperparameter)) return 'number';
  return hyperparameter.kind === 'boolean' ? 'boolean' : 'string';
};

/** One column for every hyperparameter that one of the rows has, in the order of their declaration. */
export const hyperparameterColumns = <Row extends HasHyperparameters>(
  rows: readonly Row[],
): Column<Row>[] => {
  const present = new Set(rows.flatMap((row) => Object.keys(row.hyperparameters)));
  return hyperparameterNames
    .filter((name) => present.has(name))
    .map((name) => ({ name, type: typeOf(name), value: (row) => row.hyperparameters[name] }));
};
