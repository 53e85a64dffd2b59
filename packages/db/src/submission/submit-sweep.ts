/** Writes a sweep in one transaction: the sweep, its trials, the missing stages, and the links between them. */
import type { SweepPlan } from '@funnel/contracts';
import { plainArray } from '../connection/array-literals.ts';
import { bool, text } from '../connection/columns.ts';
import { errorCode } from '../connection/database-errors.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx, transaction, type Writing } from '../connection/transaction.ts';
import { announceSweep, type CountChange, propagate } from '../lifecycle/propagate.ts';
import { awaitStructure, lockStructure } from '../lifecycle/structure-lock.ts';
import { firstStatus } from '../lifecycle/transitions.ts';
import { insertSearch } from '../searches/insert-search.ts';
import { connectSweep } from '../sweeps/sweep-actions.ts';
import type { Submission, Submitted } from '../types.ts';
import { refuseSweep } from './client-use.ts';
import { findSubmission, storedKey } from './find-submission.ts';
import { freeBelow, insertLinks, linkIndirect } from './insert-links.ts';
import { insertNewStages, reopenEnded } from './insert-stages.ts';
import { insertTrials } from './insert-trials.ts';
import { type Found, readKnown } from './known-chains.ts';
import { completeSubmission } from './stored-submissions.ts';
import { chunks, idsOf, newId, type PlacedStage, placeStages } from './submission-rows.ts';
import { writeNeeds } from './write-needs.ts';

/** Resolves to the new id: the time in milliseconds by the clock of the database, then random digits. So ids grow with time. */
const insertSweep = async (
  tx: Tx,
  { definition, idempotency, share, tags = [] }: Submission,
  { plan }: SweepPlan,
): Promise<string> => {
  const [row] = await tx.query(
    { id: text() },
    `INSERT INTO sweeps (id, name, definition, plan, priority, max_running, client, tags)
     SELECT ${newId},
       $1, $2, $3, $4, $5, $6, $7
     RETURNING id`,
    [
      definition.name,
      JSON.stringify(definition),
      JSON.stringify(plan),
      definition.priority,
      definition.maxRunning ?? null,
      share?.client ?? null,
      tags,
    ],
  );
  const { id } = row!;
  if (idempotency)
    await tx.run('INSERT INTO idempotency_keys (key, body_hash, sweep_id) VALUES ($1, $2, $3)', [
      storedKey(share?.client, idempotency.key),
      idempotency.bodyHash,
      id,
    ]);
  return id;
};

/** Another sweep has written a stage of this one, or has taken its key, since the plan was made. */
class Overtaken extends Error {}

/** SQLSTATE of a row whose key exists. */
const uniqueViolation = '23505';

const isOvertaken = (error: unknown): boolean =>
  error instanceof Overtaken || errorCode(error) === uniqueViolation;

/** A plan with the rows that it needs, and the database's state from which it was made. */
type Prepared = { readonly found: Found; readonly plan: SweepPlan; readonly placed: readonly PlacedStage[] };

const prepare = (submission: Submission, found: Found): Prepared => {
  const plan = submission.buildPlan(found.known);
  return { found, plan, placed: placeStages(plan, found.existing) };
};

const isAllNew = ({ known, existing }: Found): boolean => known.size + existing.size === 0;

/**
 * Throws Overtaken if another sweep has written a stage of one of the chains that get a new stage. The database never has a stage without its
 * parent, and this transaction has written all new stages of the plan. So it suffices to look at the chains without a parent and at those
 * below stages that the database had.
 */
const refuseNewOthers = async (
  tx: Tx,
  sweepId: string,
  { found: { existing }, placed }: Prepared,
): Promise<void> => {
  const open = placed.filter(
    ({ stage: { cached, parent, kind } }) =>
      !cached && kind !== 'attack' && (parent === null || existing.has(parent)),
  );
  if (open.length === 0) return;
  const [row] = await tx.query(
    { overtaken: bool() },
    `SELECT EXISTS (
       SELECT FROM unnest($1::text[]) AS k (chain) JOIN stages s ON s.kind <> 'attack' AND s.chain = k.chain
       WHERE s.planned_by IS DISTINCT FROM $2 AND s.id <> ALL($3::text[])) AS overtaken`,
    [plainArray([...new Set(open.map(({ stage }) => stage.chain))]), sweepId, plainArray([...existing])],
  );
  if (row!.overtaken) throw new Overtaken();
};

/**
 * Throws Overtaken if a stage that the database had is deleted or cancelled by now, or if its checkpoint was collected. Other ends do not
 * matter: they are the same as ends after the submission. A stage that is not in the plan may be cancelled (`linkIndirect`).
 */
const refuseLosses = async (tx: Tx, placed: readonly PlacedStage[]): Promise<void> => {
  for (const part of chunks(placed.filter(({ isKnown, waitsForOther }) => isKnown || waitsForOther))) {
    const [row] = await tx.query(
      { lost: bool() },
      `SELECT EXISTS (
         SELECT FROM unnest($1::text[]) AS k (id) LEFT JOIN stages s ON s.id = k.id
         WHERE s.id IS NULL OR s.status = 'cancelled' OR s.skip_cause = 'cancelled'
           OR (s.status = 'completed' AND s.kind <> 'attack' AND s.checkpoint IS NULL)
       ) OR EXISTS (
         SELECT FROM unnest($2::text[]) AS k (id) WHERE NOT EXISTS (SELECT FROM stages s WHERE s.id = k.id)
       ) AS lost`,
      [
        plainArray(idsOf(part)),
        plainArray(part.flatMap(({ stage, waitsForOther }) => (waitsForOther ? [stage.dependsOn] : []))),
      ],
    );
    if (row!.lost) throw new Overtaken();
  }
};

/** The counts of new trials, and of their stages if all of these are new: they follow from the plan. */
const countNew = (sweepId: string, { plan, placed, found }: Prepared): readonly CountChange[] => {
  const counts = new Map([['trial:waiting', plan.trials.length]]);
  for (const { stage } of isAllNew(found) ? placed : []) {
    const subject = `stage:${stage.kind}:${firstStatus(stage)}`;
    counts.set(subject, (counts.get(subject) ?? 0) + 1);
  }
  return [...counts].map(([subject, delta]) => ({ sweepId, subject, delta }));
};

/**
 * Writes the rows of the sweep, and connects it with the stages that the database had. `isLarge`: takes the structure lock only after the rows
 * are written, and leaves the connection to batches.
 */
const write = async (
  tx: Writing,
  submission: Submission,
  prepared: Prepared,
  { isLarge }: { readonly isLarge: boolean },
): Promise<Submitted> => {
  const { found, plan, placed } = prepared;
  const { search } = submission;
  if (submission.share) await refuseSweep(tx, plan.plan, submission.share);
  const sweepId = await insertSweep(tx, submission, plan);
  await tx.audit({ action: 'createSweep', subject: sweepId });
  await insertNewStages(tx, sweepId, placed);
  const reopened = await reopenEnded(tx, sweepId, placed);
  const unit = search && { configuration: 0, varying: search.varying };
  await insertTrials(tx, sweepId, submission.definition.dataset.name, plan, unit);
  await insertLinks(tx, sweepId, plan, placed);
  if (search) await insertSearch(tx, sweepId, search);
  if (isLarge) {
    await awaitStructure(tx);
    await refuseNewOthers(tx, sweepId, prepared);
    await refuseLosses(tx, placed);
  }
  await completeSubmission(tx, submission, sweepId);
  const counts = countNew(sweepId, prepared);
  if (isAllNew(found))
    await propagate(tx, { changes: [], counts, events: [{ type: 'sweep', sweepId, status: 'running' }] });
  else {
    const free = search && (await freeBelow(tx, sweepId));
    const changes = [...reopened, ...(await linkIndirect(tx, sweepId, placed, free))];
    await connectSweep(tx, sweepId, { total: placed.length, isNow: !isLarge, before: { changes, counts } });
  }
  await announceSweep(tx, sweepId);
  return { sweepId, created: true };
};

/** The sweep of an earlier request of the same client with the same key. */
const findKnown = async (tx: Tx, submission: Submission): Promise<Submitted | null> => {
  const { idempotency, share } = submission;
  const sweepId = idempotency && (await findSubmission(tx, { idempotency, ...(share && { share }) }));
  if (!sweepId) return null;
  await completeSubmission(tx, submission, sweepId);
  return { sweepId, created: false };
};

/** A busy machine may pause the process that prepares the rows. If the process ends, its connection closes at once. */
const allowPauses = (tx: Tx): Promise<void> =>
  tx.run("SET LOCAL idle_in_transaction_session_timeout = '5min'");

export type SubmitOptions = {
  /**
   * A sweep with more stages is planned and written before the structure lock is taken, and connected with other sweeps in batches. (Default:
   * 10,000)
   */
  readonly maxUnderLock?: number;
};

/** After this many tries that other sweeps have overtaken, a large sweep is written under the lock. */
const maxTries = 3;

/**
 * Writes a large sweep without holding the structure lock for long. Until the commit nobody else sees its rows, and the unique keys of stages show
 * whether another sweep has written one of them. Null: others have overtaken the plan.
 */
const submitLarge = async (db: Db, submission: Submission): Promise<Submitted | null> => {
  const prepared = prepare(submission, await readKnown(reading(db), submission.stages));
  // Sweeps share the rows of needs. They are committed first, so that no other submission waits for them.
  const needs = [...new Set(prepared.placed.map(({ stage }) => stage.need))];
  await transaction(db, (tx) => writeNeeds(tx, needs));
  try {
    return await transaction(db, async (tx) => {
      await allowPauses(tx);
      return (await findKnown(tx, submission)) ?? write(tx, submission, prepared, { isLarge: true });
    });
  } catch (error) {
    if (isOvertaken(error)) return null;
    throw error;
  }
};

/**
 * Writes a sweep, or nothing. Reads the known parts of the chains, calls `buildPlan` with them, and writes the plan. During the transaction of
 * a small sweep no other submission, cancellation or collection can run, so its plan is exact.
 * Errors: IDEMPOTENCY_CONFLICT, UNAVAILABLE, TOO_MANY_OWN_SWEEPS, TOO_MANY_OWN_BYTES, and the errors of `buildPlan`.
 */
export const submitSweep = async (
  db: Db,
  submission: Submission,
  { maxUnderLock = 10_000 }: SubmitOptions = {},
): Promise<Submitted> => {
  const isLarge = submission.stages.length > maxUnderLock;
  for (let tries = 0; isLarge && tries < maxTries; tries++) {
    const submitted = await submitLarge(db, submission);
    if (submitted) return submitted;
  }
  return transaction(db, async (tx) => {
    if (isLarge) await allowPauses(tx);
    await (isLarge ? awaitStructure(tx) : lockStructure(tx));
    const known = await findKnown(tx, submission);
    if (known) return known;
    const prepared = prepare(submission, await readKnown(tx, submission.stages));
    return write(tx, submission, prepared, { isLarge });
  });
};
