/** The logs of a stage and of a worker. They are made from the attempts and epochs that the database has, so no log is stored. */
import { plural, type StageKind, type StageLogLine, usageText, type WorkerLogLine } from '@funnel/contracts';
import { missingWorker } from '../attempts/set-aside.ts';
import {
  float8,
  int4,
  int8,
  jsonb,
  listOf,
  orNull,
  type RowOf,
  text,
  timestamptz,
} from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';
import { missingStage } from './stages.ts';

/** A log shows at most this many attempts and epochs, the newest. A stage has few attempts, but may have ten thousand epochs. */
const maxAttempts = 200;
const maxEpochs = 500;

const attemptColumns = {
  fencing_token: int4(),
  worker_id: text(),
  started_at: timestamptz(),
  ended_at: orNull(timestamptz()),
  outcome: text(),
  epochs: int4(),
  fenced: int4(),
  mismatches: int4(),
  trainer_seconds: orNull(float8()),
  cpu_seconds: orNull(float8()),
  peak_bytes: orNull(int8()),
  backend: orNull(text()),
  device: orNull(text()),
  engine_version: orNull(text()),
  error_code: orNull(text()),
  error_message: orNull(text()),
  error_stack: orNull(text()),
};

const epochColumns = {
  created_at: timestamptz(),
  epoch: int4(),
  metrics: orNull(jsonb<Readonly<Record<string, number | null>>>()),
};

/** Outcomes that are no fault: the work is done, or a person or a worker asked for the end. */
const orderlyOutcomes: readonly string[] = ['completed', 'handed-back', 'cancelled'];

type AttemptRow = RowOf<typeof attemptColumns>;

const startLine = (row: AttemptRow): StageLogLine => {
  const where = [row.backend, row.device, row.engine_version].filter((part) => part !== null && part !== '');
  return {
    at: row.started_at.toISOString(),
    attempt: row.fencing_token,
    level: 'info',
    message: `began on ${row.worker_id}${where.length === 0 ? '' : ` (${where.join(', ')})`}`,
    detail: null,
  };
};

/** `1.6 cores, at most 512 MiB`; empty for an attempt that measured nothing. */
const usageOf = ({ trainer_seconds, cpu_seconds, peak_bytes }: AttemptRow): string =>
  trainer_seconds === null || cpu_seconds === null || peak_bytes === null
    ? ''
    : usageText({ seconds: trainer_seconds, cpuSeconds: cpu_seconds, peakBytes: peak_bytes });

const endLine = (row: AttemptRow, at: Date): StageLogLine => {
  const usage = usageOf(row);
  const parts = [
    row.outcome,
    ...(usage === '' ? [] : [usage]),
    ...(row.epochs > 0 ? [plural(row.epochs, 'new epoch')] : []),
    ...(row.fenced > 0 ? [`${row.fenced} writes refused because another attempt had the stage`] : []),
    ...(row.mismatches > 0 ? [`${row.mismatches} checkpoints whose bits differ from the stored ones`] : []),
    ...(row.error_message === null ? [] : [`${row.error_code ?? 'INTERNAL'}: ${row.error_message}`]),
  ];
  return {
    at: at.toISOString(),
    attempt: row.fencing_token,
    level: orderlyOutcomes.includes(row.outcome) ? 'info' : row.outcome === 'expired' ? 'warn' : 'error',
    message: `ended: ${parts.join(', ')}`,
    detail: row.error_stack,
  };
};

const epochLine = ({ created_at, epoch, metrics }: RowOf<typeof epochColumns>): StageLogLine => ({
  at: created_at.toISOString(),
  attempt: null,
  level: 'info',
  message: [
    `epoch ${epoch}`,
    ...Object.entries(metrics ?? {}).map(([name, value]) => `${name} ${value?.toPrecision(4) ?? 'none'}`),
  ].join(', '),
  detail: null,
});

const linesOf = (row: AttemptRow): readonly StageLogLine[] => [
  startLine(row),
  ...(row.ended_at === null ? [] : [endLine(row, row.ended_at)]),
];

/** Oldest first. When lines have the same time, the start of an attempt comes before its epochs, and its end after them. */
const byTime = (a: StageLogLine, b: StageLogLine): number => {
  const order = ({ message }: StageLogLine) =>
    message.startsWith('began') ? 0 : message.startsWith('ended') ? 2 : 1;
  return a.at === b.at ? order(a) - order(b) : a.at < b.at ? -1 : 1;
};

/** The log of a stage, oldest first: its attempts, and the epochs that it added to its chain. Errors: NOT_FOUND. */
export const readStageLog = async (db: Db, id: string): Promise<StageLogLine[]> => {
  const tx = reading(db);
  const [stages, attempts, epochs] = await Promise.all([
    tx.query({}, 'SELECT FROM stages WHERE id = $1', [id]),
    tx.query(
      attemptColumns,
      `SELECT ${listOf(attemptColumns, 'a')} FROM attempts a WHERE a.stage_id = $1 ORDER BY a.fencing_token DESC LIMIT ${maxAttempts}`,
      [id],
    ),
    tx.query(
      epochColumns,
      `SELECT k.created_at, k.epoch,
         (SELECT jsonb_object_agg(m.name, m.value) FROM metrics m WHERE m.chain_id = k.chain_id AND m.epoch = k.epoch) AS metrics
       FROM stages s JOIN chains c ON c.hash = s.chain JOIN checkpoints k ON k.chain_id = c.id AND k.step = 0
       WHERE s.id = $1 AND k.epoch > s.start_epoch AND k.epoch <= s.epochs ORDER BY k.epoch DESC LIMIT ${maxEpochs}`,
      [id],
    ),
  ]);
  if (stages.length === 0) throw missingStage(id);
  const lines = [...attempts.flatMap(linesOf), ...epochs.map(epochLine)];
  return lines.sort(byTime);
};

/**
 * The log of a worker, oldest first: the starts and ends of its newest attempts, with their stages. Stages of deleted sweeps are not in it.
 * Errors: NOT_FOUND.
 */
export const readWorkerLog = async (db: Db, id: string): Promise<WorkerLogLine[]> => {
  const tx = reading(db);
  const [workers, attempts] = await Promise.all([
    tx.query({}, 'SELECT FROM workers WHERE id = $1', [id]),
    tx.query(
      { ...attemptColumns, stage_id: text(), kind: text<StageKind>() },
      `SELECT ${listOf(attemptColumns, 'a')}, a.stage_id, s.kind FROM attempts a JOIN stages s ON s.id = a.stage_id
       WHERE a.worker_id = $1 ORDER BY a.started_at DESC LIMIT ${maxAttempts}`,
      [id],
    ),
  ]);
  if (workers.length === 0) throw missingWorker(id);
  return attempts
    .flatMap((row) => linesOf(row).map((line) => ({ ...line, stage: row.stage_id, kind: row.kind })))
    .sort(byTime);
};
