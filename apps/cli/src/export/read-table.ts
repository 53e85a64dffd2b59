import type { Client } from '@funnel/client';
import type { Trial } from '@funnel/contracts';
import { allPages } from '../all-pages.ts';
import { evaluationColumns, metricColumns, trialColumns } from './columns.ts';
import { hyperparameterColumns } from './hyperparameter-columns.ts';
import { type Column, fillTable, type Table } from './table.ts';

/** Requests under way at once. */
const width = 8;

const eachOf = async <Item, Result>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Result>,
): Promise<Result[]> => {
  const results: Result[] = [];
  let next = 0;
  const walk = async (): Promise<void> => {
    while (next < items.length) {
      const i = next++;
      results[i] = await ask(items[i]!);
    }
  };
  await Promise.all(Array.from({ length: width }, walk));
  return results;
};

/** The trials of one sweep, or of all, oldest sweep first. */
const readTrials = async (client: Client, sweep: string | undefined): Promise<Trial[]> => {
  const sweeps =
    sweep === undefined
      ? (await allPages((page) => client.listSweeps({ query: page }))).map(({ id }) => id).reverse()
      : [sweep];
  const trials = [];
  for (const id of sweeps)
    trials.push(...(await allPages((page) => client.listTrials({ params: { id }, query: page }))));
  return trials;
};

const withHyperparameters = <Row extends Trial>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Table => fillTable([...columns, ...hyperparameterColumns(rows)], rows);

/** Tables about trials: a row per trial, per evaluation of a trial, or per trial, metric and epoch. */
export const tables = {
  trials: async (client: Client, sweep?: string): Promise<Table> =>
    withHyperparameters(trialColumns, await readTrials(client, sweep)),
  evaluations: async (client: Client, sweep?: string): Promise<Table> => {
    const trials = await readTrials(client, sweep);
    const rows = trials.flatMap((trial) => trial.evaluations.map((evaluation) => ({ ...trial, evaluation })));
    return withHyperparameters(evaluationColumns, rows);
  },
  metrics: async (client: Client, sweep?: string): Promise<Table> => {
    const trials = await readTrials(client, sweep);
    const curves = await eachOf(
      trials,
      async ({ id }) => (await client.getMetrics({ params: { id } })).series,
    );
    const rows = trials.flatMap((trial, i) =>
      curves[i]!.flatMap(({ kind, name, epochs, values }) =>
        epochs.map((epoch, at) => ({ ...trial, kind, metric: name, epoch, value: values[at] ?? null })),
      ),
    );
    return withHyperparameters(metricColumns, rows);
  },
} as const;
