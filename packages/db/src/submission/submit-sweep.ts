/** Writes a sweep in one transaction: the sweep, its trials, the missing stages, and the scores from results that already exist. */
import { isDeepStrictEqual } from 'node:util';
import type { StoredSweepStatus, SweepPlan } from '@funnel/contracts';
import { plainArray } from '../connection/array-literals.ts';
import { bool, int8, text } from '../connection/columns.ts';
import { errorCode } from '../connection/database-errors.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx, transaction, type Writing } from '../connection/transaction.ts';
import { announceSweep, type CountChange, propagate } from '../lifecycle/propagate.ts';
import { scheduleSweep } from '../lifecycle/scheduling.ts';
import { awaitStructure, lockStructure } from '../lifecycle/structure-lock.ts';
import { firstStatus } from '../lifecycle/transitions.ts';
import { deriveNewTrials, finishSweeps } from '../lifecycle/trials.ts';
import { inheritScores, noteCleanAccuracy } from '../scores/scores.ts';
import type { Submission, Submitted } from '../types.ts';
import { refuseSweep } from './client-use.ts';
import { findSubmission } from './find-submission.ts';
import { connectStages, insertNewStages } from './insert-stages.ts';
import { insertLinks, insertTrials } from './insert-trials.ts';
import { type Found, readKnown } from './known-chains.ts';
import { completeSubmission } from './stored-submissions.ts';
import { newId, type PlacedStage, placeStages } from './submission-rows.ts';
import { writeNeeds } from './write-needs.ts';

/** Resolves to the new id: the time in milliseconds by the clock of the database, then random digits. So ids grow with time. */
const insertSweep = async (
  tx: Tx,
  { definition, idempotency, share }: Submission,
  { plan }: SweepPlan,
): Promise<string> => {
  const [row] = await tx.query(
    { id: text() },
    `INSERT INTO sweeps (id, name, definition, plan, priority, max_running, client)
     SELECT ${newId},
       $1, $2, $3, $4, $5, $6
     RETURNING id`,
    [
      definition.name,
      JSON.stringify(definition),
      JSON.stringify(plan),
      definition.priority,
      definition.maxRunning ?? null,
      share?.client ?? null,
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
  await deriveNewTrials(tx, sweepId);
  const [ended] = await finishSweeps(tx, [sweepId]);
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

/** Another sweep has written a stage of this one, or has taken its key, since the plan was made. */
class Overtaken extends Error {}

/** SQLSTATE of a row whose key exists. */
const uniqueViolation = '23505';

const isOvertaken = (error: unknown): boolean =>
  error instanceof Overtaken || errorCode(error) === uniqueViolation;

/**
 * Throws Overtaken if the plan is no longer exact: a stage that the database had has changed, or another sweep has written a stage of one of
 * the chains. The database never has a stage without its parent, and this transaction has written all new stages of the plan. So it suffices
 * to look at the chains without a parent and at those below stages that the database had.
 */
const refuseOthers = async (
  tx: Tx,
  sweepId: string,
  { stages }: Submission,
  { known, existing }: Found,
): Promise<void> => {
  const open = stages.filter(({ parent }) => parent === null || existing.has(parent));
  const [row] = await tx.query(
    { overtaken: bool() },
    `SELECT EXISTS (
       SELECT FROM unnest($1::text[]) AS k (chain) JOIN stages s ON s.kind <> 'attack' AND s.chain = k.chain
       WHERE s.planned_by IS DISTINCT FROM $2 AND s.id <> ALL($3)) AS overtaken`,
    [plainArray([...new Set(open.map(({ chain }) => chain))]), sweepId, [...existing]],
  );
  if (row!.overtaken) throw new Overtaken();
  if (existing.size === 0) return;
  const had = stages.filter(({ id }) => existing.has(id));
  const now = await readKnown(tx, had);
  const chains = new Set(had.map(({ chain }) => chain));
  const before = new Map([...known].filter(([chain]) => chains.has(chain)));
  if (!isDeepStrictEqual(now.known, before)) throw new Overtaken();
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

/** A plan with the rows that it needs, and the database's state from which it was made. */
type Prepared = { readonly found: Found; readonly plan: SweepPlan; readonly placed: readonly PlacedStage[] };

const prepare = (submission: Submission, found: Found): Prepared => {
  const plan = submission.buildPlan(found.known);
  return { found, plan, placed: placeStages(plan, found.existing) };
};

const isAllNew = ({ known, existing }: Found): boolean => known.size + existing.size === 0;

const write = async (
  tx: Writing,
  submission: Submission,
  prepared: Prepared,
  isLocked: boolean,
): Promise<Submitted> => {
  const { found, plan, placed } = prepared;
  if (submission.share) await refuseSweep(tx, plan.plan, submission.share);
  const sweepId = await insertSweep(tx, submission, plan);
  await tx.audit({ action: 'createSweep', subject: sweepId });
  await insertNewStages(tx, sweepId, placed);
  await insertTrials(tx, sweepId, submission.definition.dataset.name, plan);
  const lock = async (): Promise<void> => {
    if (isLocked) return;
    await awaitStructure(tx);
    await refuseOthers(tx, sweepId, submission, found);
  };
  if (!isAllNew(found)) await lock();
  const changes = await connectStages(tx, sweepId, placed);
  // The new sweep has no links to stages yet, so these events and counts belong to earlier sweeps.
  await propagate(tx, { changes, maxTrials });
  const reopened = await insertLinks(tx, sweepId, plan, placed);
  if (placed.some(({ stage, isUncertain }) => stage.cached || isUncertain)) await scheduleSweep(tx, sweepId);
  const status = await inherit(tx, sweepId, placed);
  if (isAllNew(found)) await lock();
  await announceSweep(tx, sweepId);
  const counts = isAllNew(found)
    ? countNew(sweepId, placed, plan.trials.length)
    : await countRows(tx, sweepId);
  await completeSubmission(tx, submission, sweepId);
  await propagate(tx, {
    changes: reopened,
    counts,
    maxTrials,
    events: [{ type: 'sweep', sweepId, status }],
  });
  return { sweepId, created: true };
};

/** The sweep of an earlier request with the same key. */
const findKnown = async (tx: Tx, submission: Submission): Promise<Submitted | null> => {
  const sweepId = submission.idempotency && (await findSubmission(tx, submission.idempotency));
  if (!sweepId) return null;
  await completeSubmission(tx, submission, sweepId);
  return { sweepId, created: false };
};

/** A busy machine may pause the process that prepares the rows. If the process ends, its connection closes at once. */
const allowPauses = (tx: Tx): Promise<void> =>
  tx.run("SET LOCAL idle_in_transaction_session_timeout = '5min'");

/** Sweeps with more stages are planned before the transaction: while the planner computes, the connection would be idle and its locks held. */
const maxPlannedInside = 10_000;

/** No limit: the transaction of a submission is long anyway, and few trials of other sweeps wait for what it reopens. */
const maxTrials = 1_000_000;

/** Up to this many stages may be in the database when a large sweep is written before it takes the lock. */
const maxKnown = 1000;

/**
 * Writes a sweep, or nothing. Reads the known parts of the chains, calls `buildPlan` with them, and writes the plan. No other submission,
 * cancel or collection can run meanwhile, so the plan is exact.
 *
 * A large sweep of which the database knows little is written before the structure lock is taken: until its commit nobody else sees its
 * rows, and if another sweep writes one of its stages, one of the two fails and is written again. So small operations wait for it only while it
 * is linked to what the database had.
 * Errors: IDEMPOTENCY_CONFLICT, UNAVAILABLE, TOO_MANY_OWN_SWEEPS, TOO_MANY_OWN_BYTES, and the errors of `buildPlan`.
 */
export const submitSweep = async (db: Db, submission: Submission): Promise<Submitted> => {
  const { stages } = submission;
  const isLarge = stages.length > maxPlannedInside;
  const early = isLarge ? prepare(submission, await readKnown(reading(db), stages)) : null;
  if (early && early.found.existing.size <= maxKnown) {
    // Sweeps share the rows of needs. They are committed first, so that no other submission waits for them.
    const needs = [...new Set(early.placed.map(({ stage }) => stage.need))];
    await transaction(db, (tx) => writeNeeds(tx, needs));
    try {
      return await transaction(db, async (tx) => {
        await allowPauses(tx);
        return (await findKnown(tx, submission)) ?? write(tx, submission, early, false);
      });
    } catch (error) {
      if (!isOvertaken(error)) throw error;
    }
  }
  return transaction(db, async (tx) => {
    if (isLarge) await allowPauses(tx);
    await (isLarge ? awaitStructure(tx) : lockStructure(tx));
    const known = await findKnown(tx, submission);
    if (known) return known;
    const found = await readKnown(tx, stages);
    const isSame = early !== null && isDeepStrictEqual(found, early.found);
    return write(tx, submission, isSame ? early : prepare(submission, found), true);
  });
};
