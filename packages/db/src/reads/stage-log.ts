import { AppError, type StageLogLine } from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';

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
