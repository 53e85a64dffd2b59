/** Writes the new stages of a submission, and reopens stages that ended without a result that the submission can use. */
import type { PlannedStage } from '@funnel/contracts';
import { jsonArray, plainArray, plainArrays } from '../connection/array-literals.ts';
import { text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { isFree, passRecorded, skipDependants } from '../lifecycle/dependants.ts';
import { createStages, lockOrder, move, type StageChange } from '../lifecycle/transitions.ts';
import { chunks, idsOf, inputsOf, type PlacedStage } from './submission-rows.ts';
import { writeNeeds } from './write-needs.ts';

type Common = Pick<PlannedStage, 'kind' | 'recipe' | 'hyperparameters' | 'dataset' | 'attack' | 'need'>;

/** Returns a function that numbers values from 0 in the order of their first call. Equal values get the same number. */
const numbering = (): ((thing: unknown) => number) => {
  const numbers = new Map<unknown, number>();
  return (thing) => {
    const known = numbers.get(thing);
    if (known !== undefined) return known;
    numbers.set(thing, numbers.size);
    return numbers.size - 1;
  };
};

/**
 * The values that many stages share, each once, and for each stage the index of its values. Compares by identity, because the planner makes
 * each value once.
 */
const commonOf = (
  placed: readonly PlacedStage[],
): { common: readonly Common[]; places: readonly number[] } => {
  const [partOf, placeOf] = [numbering(), numbering()];
  const common: Common[] = [];
  const places = placed.map(({ stage }) => {
    const { kind, recipe, hyperparameters, dataset, attack, need } = stage;
    const place = placeOf([kind, recipe, hyperparameters, dataset, attack, need].map(partOf).join());
    if (place === common.length) common.push(stage);
    return place;
  });
  return { common, places };
};

const values = async (tx: Tx, sweepId: string, placed: readonly PlacedStage[]): Promise<unknown[]> => {
  const { common, places } = commonOf(placed);
  const needs = await needIdsOf(tx, common);
  const plain = (field: (stage: PlannedStage) => string | number | null) =>
    plainArray(placed.map(({ stage }) => field(stage)));
  const json = (field: (what: Common) => unknown) => jsonArray(common.map(field));
  return [
    sweepId,
    plainArray(common.map(({ kind }) => kind)),
    plainArray(common.map(({ recipe }) => recipe)),
    json(({ hyperparameters }) => hyperparameters),
    json(({ dataset }) => dataset),
    json(({ attack }) => attack),
    plainArray(needs),
    plainArray(places),
    plain((stage) => stage.id),
    plain((stage) => stage.chain),
    plain((stage) => stage.seed),
    plain((stage) => stage.epochs),
    plain((stage) => stage.parent),
    plain((stage) => stage.dependsOn),
    plain((stage) => stage.startEpoch),
    plainArray(placed.map(({ ordinal }) => ordinal)),
    plainArrays(placed.map(({ stage }) => stage.surrogates)),
  ];
};

/** The ids of the needs of stages, in their order. */
const needIdsOf = async (
  tx: Tx,
  stages: readonly Pick<PlannedStage, 'need'>[],
): Promise<readonly number[]> => {
  const different = [...new Set(stages.map(({ need }) => need))];
  const ids = await writeNeeds(tx, different);
  const idOf = new Map(different.map((need, i) => [need, ids[i]!]));
  return stages.map(({ need }) => idOf.get(need)!);
};

/** Reopens stages that ended without a result, or whose checkpoint was deleted, and schedules them for the new sweep. */
const reopen = async (
  tx: Tx,
  sweepId: string,
  placed: readonly PlacedStage[],
): Promise<readonly StageChange[]> => {
  const needs = await needIdsOf(
    tx,
    placed.map(({ stage }) => stage),
  );
  return move(
    tx,
    'reopen',
    `SELECT x.*, CASE WHEN x.depends_on IS NULL THEN 'ready' ELSE 'waiting' END AS status, $1::text AS sweep_id
     FROM unnest($2::text[], $3::text[], $4::int[], $5::int[], $6::int[]) AS x (id, depends_on, start_epoch, ordinal, need_id)
     JOIN stages s USING (id) WHERE s.status <> 'completed' OR s.checkpoint IS NULL`,
    [
      sweepId,
      plainArray(idsOf(placed)),
      plainArray(placed.map(({ stage }) => stage.dependsOn)),
      plainArray(placed.map(({ stage }) => stage.startEpoch)),
      plainArray(placed.map(({ ordinal }) => ordinal)),
      plainArray(needs),
    ],
    `depends_on = target.depends_on, start_epoch = target.start_epoch, sweep_id = target.sweep_id, planned_by = target.sweep_id,
      ordinal = target.ordinal, need_id = target.need_id`,
  );
};

const inputsOfUncertain = (placed: readonly PlacedStage[]): readonly string[] => [
  ...new Set(placed.filter(({ isUncertain }) => isUncertain).flatMap(({ stage }) => inputsOf(stage))),
];

/**
 * Locks the unfinished stages that the plan shares with other sweeps, and the stages that its own stages depend on. If another transaction
 * ended one of them earlier, it has committed, and later statements see the end. If another transaction ends one later, it waits for this
 * lock, and then sees this sweep.
 */
const lockUnfinished = async (tx: Tx, placed: readonly PlacedStage[]): Promise<void> => {
  const known = idsOf(placed.filter(({ stage }) => stage.cached));
  const before = inputsOfUncertain(placed);
  if (known.length + before.length === 0) return;
  await tx.run(
    `SELECT FROM stages s WHERE s.id = ANY($1::text[]) AND s.status IN ('waiting', 'ready', 'running')
     ORDER BY ${lockOrder('s')} FOR NO KEY UPDATE`,
    [plainArray([...new Set([...known, ...before])])],
  );
};

/** Updates the new stages that depend on a stage of another sweep, by the current status of that stage. */
const updateUncertain = async (tx: Tx, placed: readonly PlacedStage[]): Promise<readonly StageChange[]> => {
  const uncertain = idsOf(placed.filter((one) => one.isUncertain));
  if (uncertain.length === 0) return [];
  const passed = await passRecorded(tx, uncertain);
  const released = await move(
    tx,
    'release',
    `SELECT s.id FROM stages s WHERE s.id = ANY($1) AND s.status = 'waiting' AND ${isFree('s')}`,
    [uncertain],
  );
  const ended = await tx.query(
    { id: text() },
    `SELECT a.id FROM stages a
     WHERE a.id = ANY($1) AND a.status NOT IN ('waiting', 'ready', 'running', 'completed') ORDER BY a.id`,
    [inputsOfUncertain(placed)],
  );
  const skipped =
    ended.length === 0
      ? []
      : await skipDependants(
          tx,
          ended.map(({ id }) => id),
        );
  return [...passed, ...released, ...skipped];
};

/** Writes the stages that the database does not have. */
export const insertNewStages = async (
  tx: Tx,
  sweepId: string,
  placed: readonly PlacedStage[],
): Promise<void> => {
  for (const part of chunks(placed.filter(({ stage, hasEnded }) => !stage.cached && !hasEnded)))
    await createStages(tx, await values(tx, sweepId, part));
};

/**
 * Connects the new stages with those that existed before. Resolves to the changes of stages that existed before, and to later changes of new
 * stages.
 */
export const connectStages = async (
  tx: Tx,
  sweepId: string,
  placed: readonly PlacedStage[],
): Promise<readonly StageChange[]> => {
  const ended = placed.filter((one) => one.hasEnded);
  const reopened = ended.length === 0 ? [] : await reopen(tx, sweepId, ended);
  const passed = await passRecorded(tx, idsOf(placed.filter(({ stage }) => stage.passed && !stage.cached)));
  await lockUnfinished(tx, placed);
  return [...reopened, ...passed, ...(await updateUncertain(tx, placed))];
};
