import {
  type HyperparameterName,
  hyperparameterNames,
  isNumeric,
  type KnobValue,
  knobMeta,
} from '@funnel/contracts';
import type { Column, ColumnType } from './table.ts';

type Knobbed = { readonly hyperparameters: Readonly<Record<string, KnobValue>> };

/** By its declaration and not by what a sweep gave it: the files of two sweeps have columns of the same types. */
const typeOf = (name: HyperparameterName): ColumnType => {
  const knob = knobMeta(name);
  if (isNumeric(knob)) return 'number';
  return knob.kind === 'boolean' ? 'boolean' : 'string';
};

/** One column for every knob that one of the rows has, in the order of their declaration. */
export const knobColumns = <Row extends Knobbed>(rows: readonly Row[]): Column<Row>[] => {
  const present = new Set(rows.flatMap((row) => Object.keys(row.hyperparameters)));
  return hyperparameterNames
    .filter((name) => present.has(name))
    .map((name) => ({ name, type: typeOf(name), value: (row) => row.hyperparameters[name] }));
};
