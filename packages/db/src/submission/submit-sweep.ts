/** Writes a sweep in one transaction: the sweep, its trials, the missing stages, and the scores from results that already exist. */
import { AppError, type StoredSweepStatus, type SweepPlan } from '@funnel/contracts';
import { int8, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { type Tx, transaction, type Writing } from '../connection/transaction.ts';
import { announceSweep, type CountChange, propagate } from '../lifecycle/propagate.ts';
import { lockStructure, scheduleSweep } from '../lifecycle/scheduling.ts';
import { firstStatus } from '../lifecycle/transitions.ts';
import { deriveSweepTrials, finishSweeps } from '../lifecycle/trials.ts';
import { inheritScores, noteCleanAccuracy } from '../scores/scores.ts';
import type { Submission, Submitted } from '../types.ts';
import { insertStages } from './insert-stages.ts';
import { insertTrials } from './insert-trials.ts';
import { readKnown } from './known-chains.ts';
import { type PlacedStage, placeStages } from './submission-rows.ts';

type Idempotency = NonNullable<Submission['idempotency']>;

const findSubmission = async (tx: Tx, { key, bodyHash }: Idempotency): Promise<string | null> => {
  const [row] = await tx.query(
    { body_hash: text(), sweep_id: text() },
    'SELECT body_hash, sweep_id FROM idempotency_keys WHERE key = $1',
    [key],
  );
  if (!row) return null;
  if (row.body_hash === bodyHash) return row.sweep_id;
  const message = `Expected the same body as in the first request with Idempotency-Key ${key} (sweep ${row.sweep_id}), but got another one`;
  throw new AppError('IDEMPOTENCY_CONFLICT', message, { sweepId: row.sweep_id });
};

/** Resolves to the new id: the time in milliseconds by the clock of the database, then random digits. So ids grow with time. */
const insertSweep = async (
  tx: Tx,
  { definition, idempotency }: Submission,
  { plan }: SweepPlan,
): Promise<string> => {
  const [row] = await tx.query(
    { id: text() },
    `INSERT INTO sweeps (id, name, definition, plan, priority, max_running)
     SELECT lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 11, '0') || substr(md5(gen_random_uuid()::text), 1, 5),
       $1, $2, $3, $4, $5
     RETURNING id`,
    [
      definition.name,
      JSON.stringify(definition),
      JSON.stringify(plan),
      definition.priority,
      definition.maxRunning ?? null,
    ],
  );
  const { id } = row!;
  if (idempotency)
    await tx.run('INSERT INTO idempotency_keys (key, body_hash, sweep_id) VALUES ($1, $2, $3)', [
      idempotency.key,
      idempotency.bodyHash,
      id,
    ]);
  return id;
};

/** Sets accuracies, scores and statuses of the new trials from existing results. Resolves to the status of the sweep. */
const inherit = async (
  tx: Tx,
  sweepId: string,
  placed: readonly PlacedStage[],
): Promise<StoredSweepStatus> => {
  const finished = placed.map(({ stage }) => stage).filter((stage) => stage.cached || stage.passed);
  if (finished.length === 0) return 'running';
  await noteCleanAccuracy(
    tx,
    finished.filter((stage) => stage.kind === 'classify').map((stage) => stage.id),
  );
  if (finished.some((stage) => stage.kind === 'attack')) {
    const rows = await tx.query({ id: text() }, 'SELECT id FROM trials WHERE sweep_id = $1', [sweepId]);
    await inheritScores(
      tx,
      rows.map((row) => row.id),
    );
  }
  const derived = await deriveSweepTrials(tx, sweepId);
  const [ended] = await finishSweeps(tx, derived);
  return ended?.status ?? 'running';
};

const countRows = async (tx: Tx, sweepId: string): Promise<readonly CountChange[]> => {
  const rows = await tx.query(
    { subject: text(), delta: int8() },
    `SELECT 'stage:' || s.kind || ':' || s.status AS subject, count(*) AS delta
     FROM sweep_stages l JOIN stages s ON s.id = l.stage_id WHERE l.sweep_id = $1 AND l.direct GROUP BY 1
     UNION ALL
     SELECT 'trial:' || status, count(*) FROM trials WHERE sweep_id = $1 GROUP BY 1`,
    [sweepId],
  );
  return rows.map((row) => ({ sweepId, ...row }));
};

/** The counts of a sweep whose stages are all new: they follow from the plan. */
const countNew = (
  sweepId: string,
  placed: readonly PlacedStage[],
  trials: number,
): readonly CountChange[] => {
  const counts = new Map([['trial:waiting', trials]]);
  for (const {
    stage: { kind, dependsOn },
  } of placed) {
    const subject = `stage:${kind}:${firstStatus(dependsOn)}`;
    counts.set(subject, (counts.get(subject) ?? 0) + 1);
  }
  return [...counts].map(([subject, delta]) => ({ sweepId, subject, delta }));
};

const write = async (tx: Writing, submission: Submission): Promise<Submitted> => {
  const { known, existing } = await readKnown(tx, submission.stages);
  const plan = submission.buildPlan(known);
  const placed = placeStages(plan, existing);
  const sweepId = await insertSweep(tx, submission, plan);
  await tx.audit({ action: 'createSweep', subject: sweepId });
  const changes = await insertStages(tx, sweepId, placed);
  // The new sweep has no links to stages yet, so these events and counts belong to earlier sweeps.
  await propagate(tx, { changes });
  await insertTrials(tx, sweepId, submission.definition.dataset.name, plan, placed);
  if (placed.some(({ stage, isUncertain }) => stage.cached || isUncertain)) await scheduleSweep(tx, sweepId);
  const status = await inherit(tx, sweepId, placed);
  await announceSweep(tx, sweepId);
  const counts =
    known.size + existing.size === 0
      ? countNew(sweepId, placed, plan.trials.length)
      : await countRows(tx, sweepId);
  await propagate(tx, {
    changes: [],
    counts,
    events: [{ type: 'sweep', sweepId, status }],
  });
  return { sweepId, created: true };
};

/**
 * Writes a sweep, or nothing. Reads the known parts of the chains, calls `buildPlan` with them, and writes the plan. No other submission,
 * cancel or collection can run meanwhile, so the plan is exact. Errors: IDEMPOTENCY_CONFLICT and the errors of `buildPlan`.
 */
export const submitSweep = (db: Db, submission: Submission): Promise<Submitted> =>
  transaction(db, async (tx) => {
    await lockStructure(tx);
    const known = submission.idempotency && (await findSubmission(tx, submission.idempotency));
    if (known) return { sweepId: known, created: false };
    return write(tx, submission);
  });
