/** Writes the new stages of a submission, and reopens stages that ended without a result that the submission can use. */
import type { PlannedStage } from '@funnel/contracts';
import { jsonArray, plainArray, plainArrays } from '../connection/array-literals.ts';
import type { Tx } from '../connection/transaction.ts';
import { createStages, firstStatus, move, type StageChange } from '../lifecycle/transitions.ts';
import { chunks, idsOf, type PlacedStage } from './submission-rows.ts';
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
    plain(firstStatus),
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

/** Writes the stages that the database does not have. */
export const insertNewStages = async (
  tx: Tx,
  sweepId: string,
  placed: readonly PlacedStage[],
): Promise<void> => {
  for (const part of chunks(placed.filter(({ stage, hasEnded }) => !stage.cached && !hasEnded)))
    await createStages(tx, await values(tx, sweepId, part));
};

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
    `SELECT x.*, $1::text AS sweep_id
     FROM unnest($2::text[], $3::text[], $4::int[], $5::int[], $6::int[], $7::text[]) AS x (id, depends_on, start_epoch, ordinal, need_id, status)
     JOIN stages s USING (id) WHERE s.status <> 'completed' OR s.checkpoint IS NULL`,
    [
      sweepId,
      plainArray(idsOf(placed)),
      plainArray(placed.map(({ stage }) => stage.dependsOn)),
      plainArray(placed.map(({ stage }) => stage.startEpoch)),
      plainArray(placed.map(({ ordinal }) => ordinal)),
      plainArray(needs),
      plainArray(placed.map(({ stage }) => firstStatus(stage))),
    ],
    `depends_on = target.depends_on, start_epoch = target.start_epoch, sweep_id = target.sweep_id, planned_by = target.sweep_id,
      ordinal = target.ordinal, need_id = target.need_id`,
  );
};

/**
 * Reopens stages that ended without a result, or whose checkpoint was deleted, and schedules them for the new sweep. Always in the order of
 * their ids, so that two submissions cannot deadlock. A stage that another operation has reopened in the meantime stays as it is.
 */
export const reopenEnded = async (
  tx: Tx,
  sweepId: string,
  placed: readonly PlacedStage[],
): Promise<readonly StageChange[]> => {
  const ended = placed.filter((one) => one.hasEnded).sort((a, b) => (a.stage.id < b.stage.id ? -1 : 1));
  const changes: StageChange[] = [];
  for (const part of chunks(ended)) changes.push(...(await reopen(tx, sweepId, part)));
  return changes;
};
