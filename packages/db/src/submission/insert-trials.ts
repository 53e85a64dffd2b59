/** Writes the trials of a submission or of a decision, and their hyperparameters. */
import type { HyperparameterValue, SweepPlan } from '@funnel/contracts';
import { jsonArray, plainArray } from '../connection/array-literals.ts';
import type { Tx } from '../connection/transaction.ts';
import { chunks, firstTrials, type PlannedTrial } from './submission-rows.ts';

/** Where the trials of a decision of a search belong. */
type Unit = {
  /** The index of their configuration: the number of the decision. */
  readonly configuration: number;
  /** The hyperparameters with a value for each configuration. All trials of the sweep share the values of the others. */
  readonly varying: ReadonlySet<string>;
};

const insertTrialRows = async (
  tx: Tx,
  sweepId: string,
  dataset: string,
  { trials }: SweepPlan,
  firstPlace: number,
): Promise<void> => {
  const places = new Map([...firstTrials(trials).keys()].map((hash, place) => [hash, firstPlace + place]));
  for (const part of chunks(trials)) {
    // Trials that differ only in their seed share these values, which are sent and parsed once.
    const common = [...firstTrials(part).values()];
    await tx.run(
      `WITH common AS MATERIALIZED (
         SELECT place, recipe, hyperparameters::jsonb, configuration
         FROM unnest($3::int[], $4::text[], $5::text[], $6::text[]) AS x (place, recipe, hyperparameters, configuration)
       )
       INSERT INTO trials (id, sweep_id, number, recipe, dataset, seed, hyperparameters, configuration, configuration_index)
       SELECT $1 || '-' || lpad(number::text, 5, '0'), $1, number, recipe, $2, seed, hyperparameters, configuration, place
       FROM unnest($7::int[], $8::int[], $9::int[]) AS x (number, seed, place) JOIN common USING (place)`,
      [
        sweepId,
        dataset,
        plainArray(common.map((trial) => places.get(trial.configuration)!)),
        plainArray(common.map((trial) => trial.recipe)),
        jsonArray(common.map((trial) => trial.hyperparameters)),
        plainArray(common.map((trial) => trial.configuration)),
        plainArray(part.map((trial) => trial.number)),
        plainArray(part.map((trial) => trial.seed)),
        plainArray(part.map((trial) => places.get(trial.configuration)!)),
      ],
    );
  }
};

/** The value of one hyperparameter. `configuration`: the index of the configuration in its sweep. */
type Cell = { readonly configuration: number; readonly value: HyperparameterValue };
type NamedCell = Cell & { readonly hyperparameter: string };

const numberOf = (value: HyperparameterValue): number | null => (typeof value === 'number' ? value : null);
const wordOf = (value: HyperparameterValue): string | null =>
  typeof value === 'number' ? null : String(value);

/** The hyperparameters of each configuration by name; recipe and data set count as hyperparameters here. */
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

/** The values that all trials share, and those of each configuration. */
const splitValues = (
  dataset: string,
  { trials }: SweepPlan,
  unit: Unit | undefined,
): { readonly shared: readonly NamedCell[]; readonly varied: readonly NamedCell[] } => {
  const configurations = [...firstTrials(trials).values()];
  const shared: NamedCell[] = [];
  const varied: NamedCell[] = [];
  for (const [hyperparameter, cells] of columnsOf(dataset, configurations)) {
    const [any] = cells;
    const isShared = unit
      ? !unit.varying.has(hyperparameter)
      : cells.length === configurations.length && cells.every(({ value }) => value === any!.value);
    if (isShared) shared.push({ hyperparameter, ...any! });
    else
      for (const { configuration, value } of cells)
        varied.push({
          hyperparameter,
          configuration: (unit?.configuration ?? 0) + configuration,
          value,
        });
  }
  return { shared, varied };
};

/**
 * Writes the values that the leaderboard filters by: values that all trials share once, with the first trials of the sweep, other values for
 * each configuration.
 */
const insertHyperparameters = async (
  tx: Tx,
  sweepId: string,
  { shared, varied }: ReturnType<typeof splitValues>,
): Promise<void> => {
  if (shared.length > 0)
    await tx.run(
      'INSERT INTO sweep_hyperparameters (sweep_id, hyperparameter, number, word) SELECT $1, * FROM unnest($2::text[], $3::float8[], $4::text[])',
      [
        sweepId,
        plainArray(shared.map((cell) => cell.hyperparameter)),
        plainArray(shared.map((cell) => numberOf(cell.value))),
        wordArray(shared),
      ],
    );
  for (const part of chunks(varied))
    await tx.run(
      `INSERT INTO configuration_hyperparameters (sweep_id, configuration_index, hyperparameter, number, word)
       SELECT $1, * FROM unnest($2::int[], $3::text[], $4::float8[], $5::text[])`,
      [
        sweepId,
        plainArray(part.map((cell) => cell.configuration)),
        plainArray(part.map((cell) => cell.hyperparameter)),
        plainArray(part.map((cell) => numberOf(cell.value))),
        wordArray(part),
      ],
    );
};

/** Words may contain any character. JSON quotes a text in the same way as PostgreSQL quotes an element of an array. */
const wordArray = (cells: readonly { readonly value: HyperparameterValue }[]): string =>
  `{${cells
    .map(({ value }) => wordOf(value))
    .map((word) => (word === null ? 'NULL' : JSON.stringify(word)))
    .join(',')}}`;

/** Writes the trials and their hyperparameters. `unit`: of a search. */
export const insertTrials = async (
  tx: Tx,
  sweepId: string,
  dataset: string,
  plan: SweepPlan,
  unit?: Unit,
): Promise<void> => {
  const first = unit?.configuration ?? 0;
  await insertTrialRows(tx, sweepId, dataset, plan, first);
  const { shared, varied } = splitValues(dataset, plan, unit);
  await insertHyperparameters(tx, sweepId, { shared: first === 0 ? shared : [], varied });
};
