/** What the leaderboard filters by: what a sweep's trials agree on, once; what they do not, for each configuration. */
import type { HyperparameterValue, SweepPlan } from '@funnel/contracts';
import { plainArray } from '../connection/array-literals.ts';
import type { Tx } from '../connection/transaction.ts';
import { firstTrials, type PlannedTrial } from './configurations.ts';

/** `configuration`: which of the sweep's. */
type Cell = { readonly configuration: number; readonly value: HyperparameterValue };

const numberOf = (value: HyperparameterValue): number | null => (typeof value === 'number' ? value : null);
const wordOf = (value: HyperparameterValue): string | null =>
  typeof value === 'number' ? null : String(value);

/** The hyperparameters of each configuration, its recipe and data set among them, by name. */
const columnsOf = (
  dataset: string,
  configurations: readonly PlannedTrial[],
): ReadonlyMap<string, readonly Cell[]> => {
  const columns = new Map<string, Cell[]>();
  for (const [configuration, { recipe, hyperparameters }] of configurations.entries())
    for (const [hyperparameter, value] of Object.entries({ recipe, dataset, ...hyperparameters })) {
      const cells = columns.get(hyperparameter);
      if (cells) cells.push({ configuration, value });
      else columns.set(hyperparameter, [{ configuration, value }]);
    }
  return columns;
};

export const insertHyperparameters = async (
  tx: Tx,
  sweepId: string,
  dataset: string,
  plan: SweepPlan,
): Promise<void> => {
  const configurations = [...firstTrials(plan.trials).values()];
  const agreed: { hyperparameter: string; value: HyperparameterValue }[] = [];
  const varied: (Cell & { hyperparameter: string })[] = [];
  for (const [hyperparameter, cells] of columnsOf(dataset, configurations)) {
    const { value } = cells[0]!;
    if (cells.length === configurations.length && cells.every((cell) => cell.value === value))
      agreed.push({ hyperparameter, value });
    else for (const cell of cells) varied.push({ hyperparameter, ...cell });
  }
  await tx.run(
    'INSERT INTO sweep_hyperparameters (sweep_id, hyperparameter, number, word) SELECT $1, * FROM unnest($2::text[], $3::float8[], $4::text[])',
    [
      sweepId,
      plainArray(agreed.map((cell) => cell.hyperparameter)),
      plainArray(agreed.map((cell) => numberOf(cell.value))),
      wordArray(agreed),
    ],
  );
  if (varied.length === 0) return;
  await tx.run(
    `INSERT INTO configuration_hyperparameters (sweep_id, configuration_index, hyperparameter, number, word)
     SELECT $1, * FROM unnest($2::int[], $3::text[], $4::float8[], $5::text[])`,
    [
      sweepId,
      plainArray(varied.map((cell) => cell.configuration)),
      plainArray(varied.map((cell) => cell.hyperparameter)),
      plainArray(varied.map((cell) => numberOf(cell.value))),
      wordArray(varied),
    ],
  );
};

/** Words may hold anything: JSON's quoting of a text is PostgreSQL's quoting of an array's element. */
const wordArray = (cells: readonly { readonly value: HyperparameterValue }[]): string =>
  `{${cells
    .map(({ value }) => wordOf(value))
    .map((word) => (word === null ? 'NULL' : JSON.stringify(word)))
    .join(',')}}`;
