/** The stages of a submission that are not there yet, and those that ended badly and get another chance. */
import type { StageKind, StageStatus } from '@funnel/contracts';
import type { StageChange } from './changes.ts';
import { type Cause, changesTo, passRecorded, skipDependants } from './move-stages.ts';
import { chunks, type PlacedStage } from './submission-rows.ts';
import type { Tx } from './transaction.ts';

const insert = `
  INSERT INTO stages AS s (id, chain, kind, recipe, hyperparameters, seed, dataset, epochs, parent, attack,
    status, after, start_epoch, sweep_id, planned_by, position)
  SELECT id, chain, kind, recipe, hyperparameters, seed, dataset, epochs, parent, nullif(attack, 'null'),
    CASE WHEN after IS NULL THEN 'ready' ELSE 'waiting' END, after, "startEpoch", $2, $2, position
  FROM json_to_recordset($1::json) AS x (id text, chain text, kind text, recipe text, hyperparameters jsonb, seed int, dataset jsonb,
    epochs int, parent text, attack jsonb, after text, "startEpoch" int, position int)
  ON CONFLICT (id) DO UPDATE SET
    status = excluded.status, after = excluded.after, start_epoch = excluded.start_epoch, sweep_id = excluded.sweep_id,
    planned_by = excluded.planned_by, position = excluded.position, because = NULL, error_code = NULL, error_message = NULL,
    failures = 0, expiries = 0, finished_at = NULL, ready_at = now()
  WHERE s.status IN ('failed', 'skipped', 'cancelled')`;

type Revived = { id: string; kind: StageKind; status: StageStatus };

/** Resolves to the changes of stages that were there. */
const insertNew = async (
  tx: Tx,
  sweepId: string,
  stages: readonly PlacedStage[],
): Promise<readonly StageChange[]> => {
  const revived: StageChange[] = [];
  for (const part of chunks(stages)) {
    const after = new Map(part.map((stage) => [stage.id, stage.after]));
    const there = await tx.query<Revived>(
      'SELECT s.id, s.kind, s.status FROM unnest($1::text[]) AS k (id) JOIN stages s ON s.id = k.id ORDER BY s.id FOR NO KEY UPDATE OF s',
      [[...after.keys()]],
    );
    for (const { id, kind, status } of there)
      revived.push({ id, kind, from: status, to: after.get(id) === null ? 'ready' : 'waiting' });
    await tx.query(insert, [JSON.stringify(part), sweepId]);
  }
  return revived;
};

type Ended = {
  id: string;
  kind: StageKind;
  status: StageStatus;
  cause: StageStatus;
  code: string | null;
  message: string | null;
  after: string;
};

/**
 * Stages that wait for one that was there before, against what that one is now. Its row is locked first: if it ended before, that is seen
 * here; if it ends later, its transaction sees ours.
 */
const settleUnsure = async (tx: Tx, stages: readonly PlacedStage[]): Promise<readonly StageChange[]> => {
  const unsure = stages.filter((stage) => stage.unsure).map((stage) => stage.id);
  const before = [...new Set(stages.filter((stage) => stage.unsure).map((stage) => stage.after!))];
  if (unsure.length === 0) return [];
  await tx.query(
    `SELECT FROM stages WHERE id = ANY($1) AND status IN ('waiting', 'ready', 'running') ORDER BY id FOR NO KEY UPDATE`,
    [before],
  );
  const passed = await passRecorded(tx, unsure);
  const released = await tx.query<{ id: string; kind: StageKind; was: StageStatus }>(
    `UPDATE stages s SET status = 'ready' FROM stages a
     WHERE s.id = ANY($1) AND s.status = 'waiting' AND a.id = s.after AND a.status = 'completed'
     RETURNING s.id, s.kind, 'waiting' AS was`,
    [unsure],
  );
  const ended = await tx.query<Ended>(
    `SELECT a.id, a.kind, a.status, coalesce(a.because, a.status) AS cause, a.error_code AS code, a.error_message AS message
     FROM stages a WHERE a.id = ANY($1) AND a.status NOT IN ('waiting', 'ready', 'running', 'completed') ORDER BY a.id`,
    [before],
  );
  const skipped: StageChange[] = [];
  for (const { id, kind, status, cause, code, message } of ended) {
    const because: Cause = {
      status: cause,
      code: code ?? cause.toUpperCase(),
      message: `The ${kind} stage ${id} that it needs ${status}: ${message ?? cause}`,
    };
    skipped.push(...(await skipDependants(tx, [id], because)));
  }
  return [...passed, ...changesTo('ready', released), ...skipped];
};

/** Resolves to the changes of stages, new ones included. */
export const insertStages = async (
  tx: Tx,
  sweepId: string,
  stages: readonly PlacedStage[],
): Promise<readonly StageChange[]> => {
  const revived = await insertNew(
    tx,
    sweepId,
    stages.filter((stage) => !stage.cached),
  );
  const passed = await passRecorded(
    tx,
    stages.filter((stage) => stage.passed && !stage.cached).map((stage) => stage.id),
  );
  return [...revived, ...passed, ...(await settleUnsure(tx, stages))];
};
