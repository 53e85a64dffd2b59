import type { HyperparameterName, KnobValue } from '@funnel/contracts';
import { formatNumber } from './number.ts';
import type { Column } from './table.ts';

type Knobbed = { readonly hyperparameters: Readonly<Record<string, KnobValue>> };

/** Knobs that come first where they differ. */
const first: readonly HyperparameterName[] = ['gamma', 'beta'];

/** Columns beyond these do not fit a terminal; `funnel export` has all of them. */
const mostKnobs = 6;

const knobText = (value: KnobValue | undefined): string => {
  if (value === undefined) return '–';
  return typeof value === 'number' ? formatNumber(value) : String(value);
};

/** One column for each of the knobs in which rows that have them differ: what is the same everywhere tells no row from another. */
export const differingKnobs = <Row extends Knobbed>(rows: readonly Row[]): Column<Row>[] => {
  const names = [...new Set(rows.flatMap(({ hyperparameters }) => Object.keys(hyperparameters)))];
  const values = (name: string) => rows.flatMap(({ hyperparameters }) => hyperparameters[name] ?? []);
  const differing = names.filter((name) => new Set(values(name)).size > 1);
  const ordered = [
    ...first.filter((name) => differing.includes(name)),
    ...differing.filter((name) => !first.includes(name as HyperparameterName)),
  ];
  return ordered.slice(0, mostKnobs).map((name) => ({
    title: name,
    value: ({ hyperparameters }) => knobText(hyperparameters[name]),
    align: 'right',
  }));
};
