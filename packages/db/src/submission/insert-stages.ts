/** The stages of a submission that are not there yet, and those that ended badly and get another chance. */
import type { PlannedStage, StageKind, StageStatus } from '@funnel/contracts';
import { jsonArray, plainArray, plainArrays } from '../connection/array-literals.ts';
import type { Tx } from '../connection/transaction.ts';
import { causeOf, type End, endColumns } from '../lifecycle/cause.ts';
import { changesTo, passRecorded, skipDependants } from '../lifecycle/move-stages.ts';
import { isFree } from '../lifecycle/readiness.ts';
import { nearness } from '../lifecycle/schedule.ts';
import type { StageChange } from '../lifecycle/stage-change.ts';
import { chunks, idsOf, inputsOf, type PlacedStage } from './submission-rows.ts';

type Common = Pick<PlannedStage, 'kind' | 'recipe' | 'hyperparameters' | 'dataset' | 'attack'>;

/** Numbers things in the order in which they are first seen. */
const numbering = (): ((thing: unknown) => number) => {
  const numbers = new Map<unknown, number>();
  return (thing) => {
    const known = numbers.get(thing);
    if (known !== undefined) return known;
    numbers.set(thing, numbers.size);
    return numbers.size - 1;
  };
};

/** What stages have in common, seeds above all, and for each stage the place of its own. By identity: the planner makes each of them once. */
const commonOf = (
  placed: readonly PlacedStage[],
): { common: readonly Common[]; places: readonly number[] } => {
  const [partOf, placeOf] = [numbering(), numbering()];
  const common: Common[] = [];
  const places = placed.map(({ stage }) => {
    const { kind, recipe, hyperparameters, dataset, attack } = stage;
    const place = placeOf([kind, recipe, hyperparameters, dataset, attack].map(partOf).join());
    if (place === common.length) common.push(stage);
    return place;
  });
  return { common, places };
};

const values = (sweepId: string, placed: readonly PlacedStage[]): unknown[] => {
  const { common, places } = commonOf(placed);
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

/** Where nothing was there before. */
export const firstStatus = (dependsOn: string | null): 'ready' | 'waiting' =>
  dependsOn === null ? 'ready' : 'waiting';

/** What stages have in common travels, and is read as JSON, once for all of them; what they do not, one column per field. */
const insertMissing = `
  WITH common AS MATERIALIZED (
    SELECT place - 1 AS place, kind, recipe, hyperparameters::jsonb, dataset::jsonb, attack::jsonb
    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
      WITH ORDINALITY AS c (kind, recipe, hyperparameters, dataset, attack, place)
  )
  INSERT INTO stages (id, chain, kind, recipe, hyperparameters, seed, dataset, epochs, parent, attack,
    status, depends_on, start_epoch, sweep_id, planned_by, ordinal, surrogates)
  SELECT id, chain, kind, recipe, hyperparameters, seed, dataset, epochs, parent, attack,
    CASE WHEN depends_on IS NULL THEN 'ready' ELSE 'waiting' END, depends_on, start_epoch, $1, $1, ordinal, surrogates::text[]
  FROM unnest($7::int[], $8::text[], $9::text[], $10::int[], $11::int[], $12::text[], $13::text[], $14::int[], $15::int[], $16::text[])
    AS x (place, id, chain, seed, epochs, parent, depends_on, start_epoch, ordinal, surrogates) JOIN common USING (place)`;

const reviveEnded = `
  UPDATE stages s SET
    status = CASE WHEN x.depends_on IS NULL THEN 'ready' ELSE 'waiting' END, depends_on = x.depends_on, start_epoch = x.start_epoch,
    sweep_id = $1, planned_by = $1, ordinal = x.ordinal, skip_cause = NULL, error_code = NULL, error_message = NULL,
    failures = 0, expiries = 0, finished_at = NULL, ready_at = now()
  FROM unnest($2::text[], $3::text[], $4::int[], $5::int[]) AS x (id, depends_on, start_epoch, ordinal)
  WHERE s.id = x.id AND (s.status IN ('failed', 'skipped', 'cancelled') OR (s.status = 'completed' AND s.checkpoint IS NULL))`;

/** Resolves to the changes of those that ended badly. */
const revive = async (
  tx: Tx,
  sweepId: string,
  placed: readonly PlacedStage[],
): Promise<readonly StageChange[]> => {
  if (placed.length === 0) return [];
  const ids = plainArray(idsOf(placed));
  const ended = await tx.query<{ id: string; status: StageStatus }>(
    'SELECT id, status FROM stages WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE',
    [ids],
  );
  const was = new Map(ended.map((row) => [row.id, row.status]));
  await tx.query(reviveEnded, [
    sweepId,
    ids,
    plainArray(placed.map(({ stage }) => stage.dependsOn)),
    plainArray(placed.map(({ stage }) => stage.startEpoch)),
    plainArray(placed.map(({ ordinal }) => ordinal)),
  ]);
  return placed.map(({ stage: { id, kind, dependsOn } }) => ({
    id,
    kind,
    from: was.get(id)!,
    to: firstStatus(dependsOn),
  }));
};

const inputsOfUnsure = (placed: readonly PlacedStage[]): readonly string[] => [
  ...new Set(placed.filter(({ unsure }) => unsure).flatMap(({ stage }) => inputsOf(stage))),
];

/**
 * Locks what is there and not ended, and what it or the plan waits for. Whoever ends it before has committed, and is seen from here on;
 * whoever ends it later waits, and then sees this sweep.
 */
const lockUnfinished = async (tx: Tx, placed: readonly PlacedStage[]): Promise<void> => {
  const there = idsOf(placed.filter(({ stage }) => stage.cached));
  const before = inputsOfUnsure(placed);
  if (there.length + before.length === 0) return;
  await tx.query(
    `SELECT FROM stages s WHERE s.id = ANY($1::text[]) AND s.status IN ('waiting', 'ready', 'running')
     ORDER BY ${nearness('s')}, s.id FOR NO KEY UPDATE`,
    [plainArray([...new Set([...there, ...before])])],
  );
};

/** Stages that wait for one that was there before, against what that one is now. */
const settleUnsure = async (tx: Tx, placed: readonly PlacedStage[]): Promise<readonly StageChange[]> => {
  const unsure = idsOf(placed.filter((one) => one.unsure));
  if (unsure.length === 0) return [];
  const passed = await passRecorded(tx, unsure);
  const released = await tx.query<{ id: string; kind: StageKind; was: StageStatus }>(
    `UPDATE stages s SET status = 'ready' WHERE s.id = ANY($1) AND s.status = 'waiting' AND ${isFree('s')}
     RETURNING s.id, s.kind, 'waiting' AS was`,
    [unsure],
  );
  const ended = await tx.query<End>(
    `SELECT ${endColumns('a')} FROM stages a
     WHERE a.id = ANY($1) AND a.status NOT IN ('waiting', 'ready', 'running', 'completed') ORDER BY a.id`,
    [inputsOfUnsure(placed)],
  );
  const skipped: StageChange[] = [];
  for (const end of ended) skipped.push(...(await skipDependants(tx, [end.id], causeOf(end))));
  return [...passed, ...changesTo('ready', released), ...skipped];
};

/** Resolves to the changes of stages, new ones included. */
export const insertStages = async (
  tx: Tx,
  sweepId: string,
  placed: readonly PlacedStage[],
): Promise<readonly StageChange[]> => {
  for (const part of chunks(placed.filter(({ stage, again }) => !stage.cached && !again)))
    await tx.query(insertMissing, values(sweepId, part));
  const again = placed.filter((one) => one.again);
  const revived = await revive(tx, sweepId, again);
  const passed = await passRecorded(tx, idsOf(placed.filter(({ stage }) => stage.passed && !stage.cached)));
  await lockUnfinished(tx, placed);
  return [...revived, ...passed, ...(await settleUnsure(tx, placed))];
};
