/** The trials of earlier sweeps from which a new search learns. */
import { AppError, type HyperparameterValue, type StoredDefinition } from '@funnel/contracts';
import { int4, jsonb, listOf, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';
import { type ChangesOf, readChanges, rowKey } from '../reads/older-stages.ts';
import type { EarlierConfiguration, EarlierSweep, UnitTrial, WantedValue } from '../types.ts';
import { unitColumns, unitTrials } from './unit-trials.ts';

/** A search learns from at most this many configurations of earlier sweeps. */
const maxConfigurations = 1000;

const trialColumns = {
  ...unitColumns,
  sweep_id: text(),
  configuration_index: int4(),
  recipe: text(),
  hyperparameters: jsonb<Record<string, HyperparameterValue>>(),
};

/**
 * The trials of the first configurations whose trials have all ended, in the order of the sweeps, then of their configurations. Cancelled
 * trials have no outcome. Units below the highest rung are left out: they trained for less time.
 */
const readTrials = (tx: Tx, sweepIds: readonly string[]) =>
  tx.query(
    trialColumns,
    `WITH ended AS (
       SELECT t.sweep_id, t.configuration_index, array_position($1::text[], t.sweep_id) AS place FROM trials t
       WHERE t.sweep_id = ANY($1)
         AND NOT EXISTS (SELECT FROM decisions d WHERE d.sweep_id = t.sweep_id AND d.number = t.configuration_index AND d.below_top)
       GROUP BY t.sweep_id, t.configuration_index HAVING bool_and(t.status NOT IN ('waiting', 'running', 'cancelled'))
       ORDER BY place, t.configuration_index LIMIT $2
     )
     SELECT ${listOf(trialColumns, 't')} FROM ended JOIN trials t USING (sweep_id, configuration_index)
     ORDER BY ended.place, t.number`,
    [sweepIds, maxConfigurations],
  );

const definitionsOf = async (
  tx: Tx,
  sweepIds: readonly string[],
): Promise<ReadonlyMap<string, StoredDefinition>> => {
  const rows = await tx.query(
    { id: text(), definition: jsonb<StoredDefinition>() },
    'SELECT id, definition FROM sweeps WHERE id = ANY($1)',
    [sweepIds],
  );
  const found = new Map(rows.map(({ id, definition }) => [id, definition]));
  const issues = sweepIds.flatMap((id, place) =>
    found.has(id) ? [] : [{ path: `search.from[${place}]`, expected: 'the id of a sweep', received: id }],
  );
  if (issues.length > 0)
    throw new AppError(
      'INVALID_REQUEST',
      `Expected the id of a sweep, but there is none with id ${issues[0]!.received}`,
      { issues },
    );
  return found;
};

type Row = Awaited<ReturnType<typeof readTrials>>[number];

/** Trials of one configuration follow each other. */
const configurationsOf = (
  rows: readonly Row[],
  trials: readonly UnitTrial[],
): readonly EarlierConfiguration[] => {
  const groups = new Map<string, EarlierConfiguration & { readonly trials: UnitTrial[] }>();
  for (const [i, { sweep_id: sweepId, configuration_index, recipe, hyperparameters }] of rows.entries()) {
    const key = `${sweepId} ${configuration_index}`;
    const group = groups.get(key) ?? { sweepId, recipe, hyperparameters, trials: [] };
    group.trials.push(trials[i]!);
    groups.set(key, group);
  }
  return [...groups.values()];
};

/**
 * The sweeps in the order of their ids, with the configurations from which a search may learn: those whose trials have all ended, at the highest rung, at
 * most a thousand in all. `values`: those of the new search. `changesOf`: compares stages with the present version; configurations that an
 * older version would have trained otherwise are left out. Errors: INVALID_REQUEST for an unknown sweep.
 */
export const readEarlier = async (
  db: Db,
  sweepIds: readonly string[],
  { values, changesOf }: { readonly values: readonly WantedValue[]; readonly changesOf: ChangesOf },
): Promise<readonly EarlierSweep[]> => {
  const tx = reading(db);
  const definitions = await definitionsOf(tx, sweepIds);
  const rows = await readTrials(tx, sweepIds);
  const changes = await readChanges(
    tx,
    rows.map(({ id }) => ({ trialId: id, stageId: null })),
    changesOf,
  );
  const isOlder = ({ id }: UnitTrial): boolean => changes.has(rowKey({ trialId: id, stageId: null }));
  const configurations = configurationsOf(rows, await unitTrials(tx, rows, values)).filter(
    ({ trials }) => !trials.some(isOlder),
  );
  return sweepIds.map((sweepId) => ({
    sweepId,
    definition: definitions.get(sweepId)!,
    configurations: configurations.filter((one) => one.sweepId === sweepId),
  }));
};
