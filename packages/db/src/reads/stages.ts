import { AppError, type Stage } from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';
import type { StageRow } from '../lifecycle/stage-row.ts';
import type { Page } from '../types.ts';
import { isNumber, pageOf, readCursor } from './cursor.ts';
import { assertSweep } from './sweeps.ts';

type Row = StageRow & {
  readonly attempts: number;
  readonly shared_by: number;
  readonly seconds: number | null;
  readonly place: number;
};

/** Further columns of stage `s`. */
const columns = `s.*, tried.attempts, tried.seconds,
  (SELECT count(*) FROM trial_stages ts WHERE ts.stage_id = s.id) AS shared_by`;

const tried = `CROSS JOIN LATERAL (
  SELECT count(*) AS attempts, sum(extract(epoch FROM coalesce(a.ended_at, now()) - a.started_at))::float8 AS seconds
  FROM attempts a WHERE a.stage_id = s.id) AS tried`;

const resource = (row: Row): Stage => ({
  id: row.id,
  chain: row.chain,
  kind: row.kind,
  recipe: row.recipe,
  status: row.status,
  hyperparameters: row.hyperparameters,
  seed: row.seed,
  epochs: row.epochs,
  startEpoch: row.start_epoch,
  position: row.epoch === null ? null : { epoch: row.epoch, step: row.step ?? 0 },
  parent: row.parent,
  dependsOn: row.depends_on,
  attack: row.attack,
  surrogates: row.surrogates,
  attempts: row.attempts,
  fencingToken: row.fencing_token,
  workerId: row.worker_id,
  checkpoint: row.checkpoint,
  error:
    row.error_message === null ? null : { code: row.error_code ?? 'INTERNAL', message: row.error_message },
  sharedBy: row.shared_by,
  seconds: row.seconds,
  startedAt: row.started_at?.toISOString() ?? null,
  finishedAt: row.finished_at?.toISOString() ?? null,
});

/** In the order in which they are meant to run; those of other sweeps that they wait for come last. Errors: NOT_FOUND. */
export const listStages = async (
  db: Db,
  { sweepId, limit, cursor }: { readonly sweepId: string; readonly limit: number; readonly cursor?: string },
): Promise<Page<Stage>> => {
  const after = cursor ? readCursor(cursor, isNumber) : -1;
  if (!cursor) await assertSweep(db, sweepId);
  const rows = await reading(db).query<Row>(
    `SELECT ${columns}, l.ordinal AS place
     FROM (SELECT stage_id, ordinal FROM sweep_stages WHERE sweep_id = $1 AND ordinal > $2 ORDER BY ordinal LIMIT $3) AS l
     JOIN stages s ON s.id = l.stage_id ${tried} ORDER BY l.ordinal`,
    [sweepId, after, limit + 1],
  );
  return pageOf(rows, limit, resource, (last) => last.place);
};

/** Errors: NOT_FOUND. */
export const getStage = async (db: Db, id: string): Promise<Stage> => {
  const [row] = await reading(db).query<Row>(`SELECT ${columns} FROM stages s ${tried} WHERE s.id = $1`, [
    id,
  ]);
  if (!row) throw new AppError('NOT_FOUND', `Expected a stage, but there is none with id ${id}`);
  return resource(row);
};

/** Of each trial, in the order of its line of work. */
export const stagesOfTrials = async (
  tx: Tx,
  trialIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Stage[]>> => {
  const rows = await tx.query<Row & { readonly trial_id: string }>(
    `SELECT l.trial_id, ${columns} FROM trial_stages l JOIN stages s ON s.id = l.stage_id ${tried}
     WHERE l.trial_id = ANY($1) ORDER BY l.trial_id, l.ordinal`,
    [trialIds],
  );
  const found = new Map(trialIds.map((id) => [id, [] as Stage[]]));
  for (const row of rows) found.get(row.trial_id)?.push(resource(row));
  return found;
};
