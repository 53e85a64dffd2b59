import { AppError, type Stage, type StageLogLine } from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';
import type { StageRow } from '../lifecycle/stage-row.ts';
import type { Page } from '../types.ts';
import { isNumber, pageOf, readCursor } from './pages.ts';
import { assertSweep } from './sweeps.ts';

type StageRead = StageRow & {
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

const resource = (row: StageRead): Stage => ({
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
  const rows = await reading(db).query<StageRead>(
    `SELECT ${columns}, l.ordinal AS place
     FROM (SELECT stage_id, ordinal FROM sweep_stages WHERE sweep_id = $1 AND ordinal > $2 ORDER BY ordinal LIMIT $3) AS l
     JOIN stages s ON s.id = l.stage_id ${tried} ORDER BY l.ordinal`,
    [sweepId, after, limit + 1],
  );
  return pageOf(rows, limit, resource, (last) => last.place);
};

/** Errors: NOT_FOUND. */
export const getStage = async (db: Db, id: string): Promise<Stage> => {
  const [row] = await reading(db).query<StageRead>(
    `SELECT ${columns} FROM stages s ${tried} WHERE s.id = $1`,
    [id],
  );
  if (!row) throw new AppError('NOT_FOUND', `Expected a stage, but there is none with id ${id}`);
  return resource(row);
};

/** Of each trial, in the order of its line of work. */
export const stagesOfTrials = async (
  tx: Tx,
  trialIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Stage[]>> => {
  const rows = await tx.query<StageRead & { readonly trial_id: string }>(
    `SELECT l.trial_id, ${columns} FROM trial_stages l JOIN stages s ON s.id = l.stage_id ${tried}
     WHERE l.trial_id = ANY($1) ORDER BY l.trial_id, l.ordinal`,
    [trialIds],
  );
  const found = new Map(trialIds.map((id) => [id, [] as Stage[]]));
  for (const row of rows) found.get(row.trial_id)?.push(resource(row));
  return found;
};

/** The newest of each; a stage has few attempts, but may have ten thousand epochs. */
const maxAttempts = 200;
const maxEpochs = 500;

type Attempt = {
  readonly fencing_token: number;
  readonly worker_id: string;
  readonly started_at: Date;
  readonly ended_at: Date | null;
  readonly outcome: string;
  readonly epochs: number;
  readonly fenced: number;
  readonly mismatches: number;
  readonly backend: string | null;
  readonly device: string | null;
  readonly engine_version: string | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly error_stack: string | null;
};
type Epoch = {
  readonly created_at: Date;
  readonly epoch: number;
  readonly metrics: Readonly<Record<string, number | null>> | null;
};

/** Ends that are as they should be: somebody asked for them, or the work is done. */
const plain: readonly string[] = ['completed', 'handed-back', 'cancelled'];

const began = (row: Attempt): StageLogLine => {
  const where = [row.backend, row.device, row.engine_version].filter((part) => part !== null && part !== '');
  return {
    at: row.started_at.toISOString(),
    attempt: row.fencing_token,
    level: 'info',
    message: `began on ${row.worker_id}${where.length === 0 ? '' : ` (${where.join(', ')})`}`,
    detail: null,
  };
};

const ended = (row: Attempt, at: Date): StageLogLine => {
  const parts = [
    row.outcome,
    ...(row.epochs > 0 ? [`${row.epochs} new epochs`] : []),
    ...(row.fenced > 0 ? [`${row.fenced} writes refused because another attempt had the stage`] : []),
    ...(row.mismatches > 0 ? [`${row.mismatches} checkpoints with other bits than those there`] : []),
    ...(row.error_message === null ? [] : [`${row.error_code ?? 'INTERNAL'}: ${row.error_message}`]),
  ];
  return {
    at: at.toISOString(),
    attempt: row.fencing_token,
    level: plain.includes(row.outcome) ? 'info' : row.outcome === 'expired' ? 'warn' : 'error',
    message: `ended: ${parts.join(', ')}`,
    detail: row.error_stack,
  };
};

const recorded = ({ created_at, epoch, metrics }: Epoch): StageLogLine => ({
  at: created_at.toISOString(),
  attempt: null,
  level: 'info',
  message: [
    `epoch ${epoch}`,
    ...Object.entries(metrics ?? {}).map(([name, value]) => `${name} ${value?.toPrecision(4) ?? 'none'}`),
  ].join(', '),
  detail: null,
});

/** What happened to a stage, oldest first: its attempts, and the epochs that it added to its chain. Errors: NOT_FOUND. */
export const readStageLog = async (db: Db, id: string): Promise<StageLogLine[]> => {
  const tx = reading(db);
  const [stages, attempts, epochs] = await Promise.all([
    tx.query('SELECT 1 FROM stages WHERE id = $1', [id]),
    tx.query<Attempt>(
      `SELECT fencing_token, worker_id, started_at, ended_at, outcome, epochs, fenced, mismatches, backend, device, engine_version,
         error_code, error_message, error_stack
       FROM attempts WHERE stage_id = $1 ORDER BY fencing_token DESC LIMIT ${maxAttempts}`,
      [id],
    ),
    tx.query<Epoch>(
      `SELECT k.created_at, k.epoch,
         (SELECT jsonb_object_agg(m.name, m.value) FROM metrics m WHERE m.chain_id = k.chain_id AND m.epoch = k.epoch) AS metrics
       FROM stages s JOIN chains c ON c.hash = s.chain JOIN checkpoints k ON k.chain_id = c.id AND k.step = 0
       WHERE s.id = $1 AND k.epoch > s.start_epoch AND k.epoch <= s.epochs ORDER BY k.epoch DESC LIMIT ${maxEpochs}`,
      [id],
    ),
  ]);
  if (stages.length === 0)
    throw new AppError('NOT_FOUND', `Expected a stage, but there is none with id ${id}`);
  const lines = [
    ...attempts.flatMap((row) => [began(row), ...(row.ended_at === null ? [] : [ended(row, row.ended_at)])]),
    ...epochs.map(recorded),
  ];
  // Within one instant an attempt begins before its epochs and ends after them.
  const order = ({ message }: StageLogLine) =>
    message.startsWith('began') ? 0 : message.startsWith('ended') ? 2 : 1;
  return lines.sort((a, b) => (a.at === b.at ? order(a) - order(b) : a.at < b.at ? -1 : 1));
};
