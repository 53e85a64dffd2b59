/**
 * The queue of submissions that take longer than a request may. A row survives every process: a process takes it under a lease, and writes the
 * sweep and the end of the submission in one transaction. At most one submission of each size runs at a time.
 */
import {
  AppError,
  type ClientLimits,
  defaultLimits,
  type ErrorCode,
  type SweepDefinition,
} from '@funnel/contracts';
import { int4, int8, jsonb, orNull, type RowOf, text, texts, timestamptz } from '../connection/columns.ts';
import { errorCode } from '../connection/database-errors.ts';
import type { Author, Db } from '../connection/db.ts';
import { reading, type Tx, transaction } from '../connection/transaction.ts';
import { isText, pageOf, readCursor } from '../reads/pages.ts';
import type { Page, Submission, Ticket } from '../types.ts';
import { refuseSubmissions } from './client-use.ts';
import { findSubmission, sentKey, storedKey } from './find-submission.ts';
import { newId } from './submission-rows.ts';

export type SubmissionSize = 'small' | 'medium' | 'large';

/** An error as data: `details` of an AppError. */
export type Refusal = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
};

export type NewSubmission = {
  /** The token or address that sends it. */
  readonly client: string;
  /** (Default: `defaultLimits`) */
  readonly limits?: ClientLimits;
  /** In whose name the sweep is written. (Default: no entry in the audit log) */
  readonly author?: Author;
  readonly size: SubmissionSize;
  readonly definition: SweepDefinition;
  readonly engineVersion: string;
  /** The tags of the new sweep. (Default: none) */
  readonly tags?: readonly string[];
  readonly bodyHash: string;
  readonly key?: string;
};

/** The sweep of an earlier submission of the client with the same key; or a stored submission, which `isNew` unless it had the same key. */
export type Stored = { readonly sweepId: string } | { readonly id: string; readonly isNew: boolean };

/** Stores a submission. Errors: IDEMPOTENCY_CONFLICT, TOO_MANY_OWN_SUBMISSIONS, TOO_MANY_OWN_SWEEPS. */
export const storeSubmission = async (db: Db, submission: NewSubmission): Promise<Stored> => {
  const {
    client,
    limits = defaultLimits,
    author,
    size,
    definition,
    engineVersion,
    tags = [],
    bodyHash,
    key,
  } = submission;
  const tx = reading(db);
  const ownKey = key === undefined ? null : storedKey(client, key);
  const sweepId =
    key === undefined
      ? null
      : await findSubmission(tx, { idempotency: { key, bodyHash }, share: { client, limits } });
  if (sweepId !== null) return { sweepId };
  await refuseSubmissions(tx, client, limits);
  const [added] = await tx.query(
    { id: text() },
    `INSERT INTO submissions (id, client, size, definition, engine_version, key, body_hash, author, tags)
     SELECT ${newId},
       $1, $2, $3, $4, $5, $6, $7, $8
     ON CONFLICT (key) WHERE status IN ('waiting', 'running') DO NOTHING RETURNING id`,
    [
      client,
      size,
      JSON.stringify(definition),
      engineVersion,
      ownKey,
      bodyHash,
      author ? JSON.stringify(author) : null,
      tags,
    ],
  );
  if (added) return { id: added.id, isNew: true };
  const [same] = await tx.query(
    { id: text(), body_hash: text() },
    `SELECT id, body_hash FROM submissions WHERE key = $1 AND status IN ('waiting', 'running')`,
    [ownKey],
  );
  if (!same) return storeSubmission(db, submission); // it has ended in between
  if (same.body_hash === bodyHash) return { id: same.id, isNew: false };
  throw new AppError(
    'IDEMPOTENCY_CONFLICT',
    `Expected the same sweep as in the first submission with the key ${key} (submission ${same.id}), but got another one`,
    { submissionId: same.id },
  );
};

const takenColumns = {
  id: text(),
  client: text(),
  attempt: int4(),
  definition: jsonb<SweepDefinition>(),
  engine_version: text(),
  key: orNull(text()),
  author: orNull(jsonb<Author>()),
  tags: texts(),
};

export type TakenSubmission = Ticket & {
  readonly client: string;
  readonly author?: Author;
  readonly definition: SweepDefinition;
  readonly engineVersion: string;
  readonly tags: readonly string[];
  readonly idempotencyKey?: string;
};

/** SQLSTATE of a second running submission of the same size. */
const uniqueViolation = '23505';

/**
 * Takes the next submission of this size: of the client whose last one began the longest time ago, its oldest. Null: none waits, or one runs.
 */
export const takeSubmission = async (
  db: Db,
  size: SubmissionSize,
  leaseSeconds: number,
): Promise<TakenSubmission | null> => {
  const tx = reading(db);
  await tx.run(
    `UPDATE submissions SET status = 'waiting' WHERE size = $1 AND status = 'running' AND due_at < now()`,
    [size],
  );
  try {
    const [row] = await tx.query(
      takenColumns,
      `UPDATE submissions SET status = 'running', attempt = attempt + 1, started_at = now(),
         due_at = now() + make_interval(secs => $2)
       WHERE status = 'waiting' AND id = (
         SELECT id FROM submissions s WHERE size = $1 AND status = 'waiting' AND due_at <= now()
         ORDER BY (SELECT max(started_at) FROM submissions o WHERE o.client = s.client AND o.size = $1) NULLS FIRST, id LIMIT 1)
         AND NOT EXISTS (SELECT FROM submissions r WHERE r.size = $1 AND r.status = 'running')
       RETURNING ${Object.keys(takenColumns).join(', ')}`,
      [size, leaseSeconds],
    );
    if (!row) return null;
    const { id, client, attempt, definition, engine_version: engineVersion, tags, author, key } = row;
    return {
      ...{ id, client, attempt, definition, engineVersion, tags },
      ...(author && { author }),
      ...(key !== null && { idempotencyKey: sentKey(key) }),
    };
  } catch (error) {
    if (errorCode(error) === uniqueViolation) return null;
    throw error;
  }
};

/** Prolongs the lease. Does nothing when another process has the submission. */
export const renewSubmission = (db: Db, { id, attempt }: Ticket, leaseSeconds: number): Promise<void> =>
  reading(db).run(
    `UPDATE submissions SET due_at = now() + make_interval(secs => $3) WHERE id = $1 AND attempt = $2 AND status = 'running'`,
    [id, attempt, leaseSeconds],
  );

/** Lets the submission wait again, for at least this time. */
export const postponeSubmission = (db: Db, { id, attempt }: Ticket, seconds: number): Promise<void> =>
  reading(db).run(
    `UPDATE submissions SET status = 'waiting', due_at = now() + make_interval(secs => $3)
     WHERE id = $1 AND attempt = $2 AND status = 'running'`,
    [id, attempt, seconds],
  );

export const refuseSubmission = (db: Db, { id, attempt }: Ticket, refusal: Refusal): Promise<void> =>
  reading(db).run(
    `UPDATE submissions SET status = 'refused', problem = $3, finished_at = now()
     WHERE id = $1 AND attempt = $2 AND status = 'running'`,
    [id, attempt, JSON.stringify(refusal)],
  );

/** Writes the end of a submission with its sweep. UNAVAILABLE when it was withdrawn, or another process has it. */
export const completeSubmission = async (
  tx: Tx,
  { ticket }: Pick<Submission, 'ticket'>,
  sweepId: string,
): Promise<void> => {
  if (!ticket) return;
  const rows = await tx.query(
    { id: text() },
    `UPDATE submissions SET status = 'completed', sweep_id = $3, finished_at = now()
     WHERE id = $1 AND attempt = $2 AND status = 'running' RETURNING id`,
    [ticket.id, ticket.attempt, sweepId],
  );
  if (rows.length > 0) return;
  throw new AppError(
    'UNAVAILABLE',
    `Expected submission ${ticket.id} to be in the hands of this process, but it was withdrawn, or another process has it`,
  );
};

/** Withdraws a submission whose sweep is not written yet. Errors: NOT_FOUND, INVALID_TRANSITION. */
export const withdrawSubmission = async (db: Db, id: string): Promise<void> => {
  const isDeleted = await transaction(db, async (tx) => {
    const deleted = await tx.query(
      { id: text() },
      `DELETE FROM submissions WHERE id = $1 AND status IN ('waiting', 'running', 'refused') RETURNING id`,
      [id],
    );
    if (deleted.length > 0) await tx.audit({ action: 'withdrawSubmission', subject: id });
    return deleted.length > 0;
  });
  if (isDeleted) return;
  const { sweepId } = await getSubmission(db, id);
  throw new AppError(
    'INVALID_TRANSITION',
    `Expected a submission whose sweep is not written yet, but ${id} has become sweep ${sweepId}`,
  );
};

const columns = {
  id: text(),
  name: text(),
  status: text<'waiting' | 'running' | 'completed' | 'refused'>(),
  ahead: int8(),
  sweep_id: orNull(text()),
  problem: orNull(jsonb<Refusal>()),
  created_at: timestamptz(),
  started_at: orNull(timestamptz()),
  finished_at: orNull(timestamptz()),
};

const list = `s.id, s.definition ->> 'name' AS name, s.status, s.sweep_id, s.problem, s.created_at, s.started_at, s.finished_at,
  CASE WHEN s.status = 'waiting' THEN (
    SELECT count(*) FROM submissions o WHERE o.size = s.size AND o.status IN ('waiting', 'running') AND (o.status = 'running' OR o.id < s.id)
  ) ELSE 0 END AS ahead`;

export type SubmissionState = {
  readonly id: string;
  readonly name: string;
  readonly status: 'waiting' | 'running' | 'completed' | 'refused';
  readonly ahead: number;
  readonly sweepId: string | null;
  readonly refusal: Refusal | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
};

const stateOf = (row: RowOf<typeof columns>): SubmissionState => ({
  id: row.id,
  name: row.name,
  status: row.status,
  ahead: row.ahead,
  sweepId: row.sweep_id,
  refusal: row.problem,
  createdAt: row.created_at.toISOString(),
  startedAt: row.started_at?.toISOString() ?? null,
  finishedAt: row.finished_at?.toISOString() ?? null,
});

/** Errors: NOT_FOUND. */
export const getSubmission = async (db: Db, id: string): Promise<SubmissionState> => {
  const [row] = await reading(db).query(columns, `SELECT ${list} FROM submissions s WHERE s.id = $1`, [id]);
  if (!row) throw new AppError('NOT_FOUND', `Expected a submission, but there is none with id ${id}`);
  return stateOf(row);
};

/** Those that wait or run, and those that were refused, oldest first. */
export const listSubmissions = async (
  db: Db,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
): Promise<Page<SubmissionState>> => {
  const rows = await reading(db).query(
    columns,
    `SELECT ${list} FROM submissions s
     WHERE s.status <> 'completed' AND ($1::text IS NULL OR s.id > $1) ORDER BY s.id LIMIT $2`,
    [cursor ? readCursor(cursor, isText) : null, limit + 1],
  );
  return pageOf(rows, limit, stateOf, (last) => last.id);
};
