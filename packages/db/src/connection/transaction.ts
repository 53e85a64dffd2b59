/** Statements and transactions. All other files talk to PostgreSQL through these functions. */
import { AppError } from '@funnel/contracts';
import type pg from 'pg';
import type { Columns, RowOf } from './columns.ts';
import { type CopyClient, copyBytes } from './copy-bytes.ts';
import {
  databaseError,
  isAnswerMissing,
  isOfTables,
  isOutdated,
  isRetriable,
  isUnreachable,
} from './database-errors.ts';
import { type Author, type Db, type StatementListener, serverLimit, type WokenTable } from './db.ts';
import { appliedMigration, checkMigration } from './schema-version.ts';

/** Where a statement runs: inside a transaction, or alone. */
export type Tx = {
  /** The rows of one statement. `columns` declares the columns of its SELECT or RETURNING list. */
  query<C extends Columns>(columns: C, text: string, values?: readonly unknown[]): Promise<RowOf<C>[]>;
  /** Runs one statement that returns no rows. */
  run(text: string, values?: readonly unknown[]): Promise<void>;
  /** Passes the values of the only column of a SELECT, bytes, to `take` one by one: see `copyBytes`. */
  readBytes(text: string, take: (bytes: Buffer) => void): Promise<void>;
  /** To be called when the transaction has written to the table: the commit then wakes the work on its rows. */
  wake(table: WokenTable): void;
};

/** What a transaction changes: the name of the action, such as `pauseSweep`, and the id or name of the changed thing. */
export type Change = {
  readonly action: string;
  readonly subject: string | null;
  readonly details?: Readonly<Record<string, unknown>>;
};

/** The statements of one transaction. */
export type Writing = Tx & {
  /** Writes the change to the audit log if the database has an author (`actingAs`). The entry commits with the change. */
  audit(change: Change): Promise<void>;
};

type Queryable = CopyClient & { query(config: pg.QueryConfig): Promise<pg.QueryResult> };

/**
 * Transactions use a few dozen fixed texts. PostgreSQL parses and plans each text once per connection, under the name given here. Texts
 * that depend on the filters of a request run outside of transactions (`reading`) and get no name. Behind a pooler no statement has a name:
 * the next transaction may run on another connection to the server.
 */
const names = new Map<string, string>();
const nameOf = (text: string): string => {
  const known = names.get(text);
  if (known) return known;
  const name = `funnel_${names.size}`;
  names.set(text, name);
  return name;
};

type StatementOptions = {
  /** Each connection prepares the statement once. */
  readonly isNamed: boolean;
  /** Time limit for the answer to one statement, in milliseconds. (Default: the limit of the connection) */
  readonly timeoutMs?: number;
  readonly onStatement?: StatementListener;
  readonly wake: Tx['wake'];
};

const statementsOn = (client: Queryable, { isNamed, timeoutMs, onStatement, wake }: StatementOptions): Tx => {
  const execute = async (columns: Columns, text: string, values: readonly unknown[] = []) => {
    const config: pg.QueryConfig & { query_timeout?: number } = { text, values: [...values] };
    if (isNamed) config.name = nameOf(text);
    if (timeoutMs !== undefined) config.query_timeout = timeoutMs;
    const { rows, fields } = await client.query(config);
    onStatement?.({ text, columns, fields });
    return rows;
  };
  return {
    query: execute,
    run: async (text, values) => void (await execute({}, text, values)),
    readBytes: async (text, take) => {
      await copyBytes(client, text, take);
      onStatement?.({ text, columns: {}, fields: [] });
    },
    wake,
  };
};

/**
 * Returns a connection to the pool, or closes it if it is broken. If it did not answer, the other open connections are not used again
 * either.
 */
const release = (db: Db, client: pg.PoolClient, broken: unknown): void => {
  if (isAnswerMissing(broken)) db.replaceConnections();
  client.release(broken !== undefined);
};

/** The error with a message for a person. SCHEMA_MISMATCH if the tables refuse a statement because another version has migrated them. */
const explain = async (db: Db, error: unknown): Promise<unknown> => {
  if (!isOfTables(error)) return databaseError(error);
  try {
    const { rows } = await db.pool.query(`SELECT ${appliedMigration} AS applied`);
    checkMigration(rows[0].applied, error);
  } catch (mismatch) {
    if (mismatch instanceof AppError) return mismatch;
  }
  return databaseError(error);
};

/** Runs `use` with a connection, outside of any transaction. */
const withConnection = async <T>(db: Db, use: (tx: Tx) => Promise<T>): Promise<T> => {
  try {
    const client = await db.connect();
    let broken: unknown;
    try {
      const { onStatement, wake } = db;
      return await use(statementsOn(client, { isNamed: false, onStatement, wake }));
    } catch (error) {
      if (isUnreachable(error)) broken = error;
      throw error;
    } finally {
      release(db, client, broken);
    }
  } catch (error) {
    throw await explain(db, error);
  }
};

/** Single statements outside of any transaction. Errors: UNAVAILABLE, STORAGE_FULL, SCHEMA_MISMATCH. */
export const reading = (db: Db): Tx => ({
  query: (columns, text, values) => withConnection(db, (tx) => tx.query(columns, text, values)),
  run: (text, values) => withConnection(db, (tx) => tx.run(text, values)),
  readBytes: (text, take) => withConnection(db, (tx) => tx.readBytes(text, take)),
  wake: db.wake,
});

const maxTries = 10;

/** 2, 4, 8, … ms, at most 200, plus a random part of up to the same length, so that two transactions that collided do not collide again. */
const backoff = (tries: number): Promise<void> =>
  new Promise((resolve) => {
    const delay = Math.min(200, 2 ** tries);
    setTimeout(resolve, delay * (1 + Math.random()));
  });

const auditOf =
  (tx: Tx, author: Author | undefined): Writing['audit'] =>
  async ({ action, subject, details }) => {
    if (!author) return;
    await tx.run(
      'INSERT INTO audit_log (actor, action, subject, address, details) VALUES ($1, $2, $3, $4, $5)',
      [author.actor, action, subject, author.address, JSON.stringify({ ...author.details, ...details })],
    );
  };

type Body<T> = (tx: Writing) => Promise<T>;

/** One message for both statements, because a heartbeat should cost few round trips. Such a message cannot be prepared. */
const beginWithLimit = async (client: Queryable, timeoutMs: number): Promise<void> => {
  const text = `BEGIN; SET LOCAL statement_timeout = ${serverLimit(timeoutMs)}`;
  const config: pg.QueryConfig & { query_timeout: number } = { text, query_timeout: timeoutMs };
  await client.query(config);
};

const runOnce = async <T>(db: Db, body: Body<T>, timeoutMs: number | undefined): Promise<T> => {
  const client = await db.connect();
  const written = new Set<WokenTable>();
  const wake = (table: WokenTable) => void written.add(table);
  let broken: unknown;
  try {
    const isNamed = !(await db.isPooled(client));
    const tx = statementsOn(client, { isNamed, timeoutMs, onStatement: db.onStatement, wake });
    if (timeoutMs === undefined) await tx.run('BEGIN');
    else await beginWithLimit(client, timeoutMs);
    const result = await body({ ...tx, audit: auditOf(tx, db.author) });
    await tx.run('COMMIT');
    for (const table of written) db.wake(table);
    return result;
  } catch (error) {
    if (isUnreachable(error) || isOutdated(error)) broken = error;
    // If ROLLBACK fails, the connection is broken: `release` closes it, and the server rolls back.
    else
      await client.query('ROLLBACK').catch((failure: unknown) => {
        broken = failure;
      });
    throw error;
  } finally {
    release(db, client, broken);
  }
};

/**
 * Runs `body` in one READ COMMITTED transaction. Runs it again if PostgreSQL ended the transaction to resolve a deadlock, so `body` must
 * have no effects but its statements. `timeoutMs`: time limit for the answer to one statement, in milliseconds; PostgreSQL ends the
 * statement a little earlier. Errors: UNAVAILABLE when
 * the connection breaks or does not answer (nobody then knows whether a COMMIT arrived, so every operation of this package may be called
 * again), STORAGE_FULL, SCHEMA_MISMATCH, and the errors of `body`.
 */
export const transaction = async <T>(
  db: Db,
  body: Body<T>,
  { timeoutMs }: { readonly timeoutMs?: number } = {},
): Promise<T> => {
  for (let tries = 1; ; tries++) {
    try {
      return await runOnce(db, body, timeoutMs);
    } catch (error) {
      if (!isRetriable(error) || tries >= maxTries) throw await explain(db, error);
      await backoff(tries);
    }
  }
};
