/** Writes the trials of a submission, their hyperparameters, and the links of the trials and of the sweep to stages. */
import type { HyperparameterValue, SweepPlan } from '@funnel/contracts';
import { jsonArray, plainArray } from '../connection/array-literals.ts';
import { text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { isFree } from '../lifecycle/dependants.ts';
import { scheduleStagesOf } from '../lifecycle/scheduling.ts';
import { move, type StageChange } from '../lifecycle/transitions.ts';
import { chunks, firstTrials, idsOf, type PlacedStage, type PlannedTrial } from './submission-rows.ts';

const insertTrialRows = async (
  tx: Tx,
  sweepId: string,
  dataset: string,
  { trials }: SweepPlan,
): Promise<void> => {
  const places = new Map([...firstTrials(trials).keys()].map((hash, place) => [hash, place]));
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

/** Writes the values that the leaderboard filters by: values that all trials share once, other values for each configuration. */
const insertHyperparameters = async (
  tx: Tx,
  sweepId: string,
  dataset: string,
  plan: SweepPlan,
): Promise<void> => {
  const configurations = [...firstTrials(plan.trials).values()];
  const shared: { hyperparameter: string; value: HyperparameterValue }[] = [];
  const varied: (Cell & { hyperparameter: string })[] = [];
  for (const [hyperparameter, cells] of columnsOf(dataset, configurations)) {
    const { value } = cells[0]!;
    if (cells.length === configurations.length && cells.every((cell) => cell.value === value))
      shared.push({ hyperparameter, value });
    else for (const cell of cells) varied.push({ hyperparameter, ...cell });
  }
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

/** Joins no table, because PostgreSQL has no statistics of new rows and would choose a bad plan for the join. */
const insertTrialStages = async (tx: Tx, sweepId: string, { trials }: SweepPlan): Promise<void> => {
  for (const part of chunks(trials))
    await tx.run(
      `INSERT INTO trial_stages (trial_id, ordinal, stage_id)
       SELECT $1 || '-' || lpad(number::text, 5, '0'), ordinal, stage FROM unnest($2::int[], $3::int[], $4::text[]) AS x (number, ordinal, stage)`,
      [
        sweepId,
        plainArray(part.flatMap(({ number, stages }) => stages.map(() => number))),
        plainArray(part.flatMap(({ stages }) => stages.map((_, i) => i))),
        plainArray(part.flatMap(({ stages }) => stages)),
      ],
    );
};

const insertSweepStages = async (tx: Tx, sweepId: string, placed: readonly PlacedStage[]): Promise<void> => {
  for (const part of chunks(placed))
    await tx.run(
      'INSERT INTO sweep_stages (sweep_id, ordinal, stage_id) SELECT $1, ordinal, id FROM unnest($2::int[], $3::text[]) AS x (ordinal, id)',
      [sweepId, plainArray(part.map(({ ordinal }) => ordinal)), plainArray(idsOf(part))],
    );
};

/** Writes the trials and their hyperparameters. */
export const insertTrials = async (
  tx: Tx,
  sweepId: string,
  dataset: string,
  plan: SweepPlan,
): Promise<void> => {
  await insertTrialRows(tx, sweepId, dataset, plan);
  await insertHyperparameters(tx, sweepId, dataset, plan);
};

/** Links the sweep and its trials to their stages. */
export const insertLinks = async (
  tx: Tx,
  sweepId: string,
  plan: SweepPlan,
  placed: readonly PlacedStage[],
): Promise<void> => {
  await insertSweepStages(tx, sweepId, placed);
  await insertTrialStages(tx, sweepId, plan);
};

/**
 * Links the sweep to the unfinished stages of other sweeps that its own stages wait for, because the sweep needs them too. Such a stage may
 * be cancelled already if its sweep is being cancelled in batches: then it is reopened. Resolves to the reopened stages.
 */
export const linkIndirect = async (
  tx: Tx,
  sweepId: string,
  placed: readonly PlacedStage[],
): Promise<readonly StageChange[]> => {
  const waiting = placed.filter(({ isKnown, waitsForOther }) => isKnown || waitsForOther);
  if (waiting.length === 0) return [];
  const isNeeded = `a.status IN ('waiting', 'ready', 'running', 'cancelled')
    AND NOT EXISTS (SELECT FROM sweep_stages l WHERE l.stage_id = a.id AND l.sweep_id = $1)`;
  const added = await tx.query(
    { stage_id: text() },
    `WITH RECURSIVE needed AS (
       SELECT a.id, a.depends_on FROM unnest($3::text[]) AS w (id) JOIN stages s ON s.id = w.id JOIN stages a ON a.id = s.depends_on
       WHERE s.status = 'waiting' AND ${isNeeded}
       UNION
       SELECT a.id, a.depends_on FROM needed n JOIN stages a ON a.id = n.depends_on WHERE ${isNeeded}
     )
     INSERT INTO sweep_stages (sweep_id, ordinal, stage_id, direct)
     SELECT $1, $2 + row_number() OVER (ORDER BY id), id, false FROM needed RETURNING stage_id`,
    [sweepId, placed.length, plainArray(idsOf(waiting))],
  );
  if (added.length === 0) return [];
  const ids = added.map((row) => row.stage_id);
  const reopened = await move(
    tx,
    'reopen',
    `SELECT s.id, CASE WHEN ${isFree('s')} THEN 'ready' ELSE 'waiting' END AS status
     FROM stages s WHERE s.id = ANY($1) AND s.status = 'cancelled'`,
    [ids],
  );
  await scheduleStagesOf(tx, sweepId, ids);
  return reopened;
};
