import type { HyperparameterName, HyperparameterValue } from '@funnel/contracts';
import { formatNumber } from './number.ts';
import type { Column } from './table.ts';

type HasHyperparameters = { readonly hyperparameters: Readonly<Record<string, HyperparameterValue>> };

/** Hyperparameters that come first where they differ. */
const first: readonly HyperparameterName[] = ['gamma', 'beta'];

/** Columns beyond these do not fit a terminal; `funnel export` has all of them. */
const maxHyperparameters = 6;

const hyperparameterText = (value: HyperparameterValue | undefined): string => {
  if (value === undefined) return '–';
  return typeof value === 'number' ? formatNumber(value) : String(value);
};

/** One column for each of the hyperparameters in which rows that have them differ: what is the same everywhere tells no row from another. */
export const differingHyperparameters = <Row extends HasHyperparameters>(
  rows: readonly Row[],
): Column<Row>[] => {
  const names = [...new Set(rows.flatMap(({ hyperparameters }) => Object.keys(hyperparameters)))];
  const values = (name: string) => rows.flatMap(({ hyperparameters }) => hyperparameters[name] ?? []);
  const differing = names.filter((name) => new Set(values(name)).size > 1);
  const ordered = [
    ...first.filter((name) => differing.includes(name)),
    ...differing.filter((name) => !first.includes(name as HyperparameterName)),
  ];
  return ordered.slice(0, maxHyperparameters).map((name) => ({
    title: name,
    value: ({ hyperparameters }) => hyperparameterText(hyperparameters[name]),
    align: 'right',
  }));
};
