/** Statements and transactions: the only way in which this package talks to PostgreSQL. */
import type pg from 'pg';
import { databaseError, isOutdated, isRetriable, isUnreachable } from './database-errors.ts';
import type { Db } from './db.ts';

/** Where a statement runs: inside a transaction, or alone. */
export type Tx = {
  /** Rows of one statement. `Row` is what its SELECT list says; the caller states it. */
  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
};

type Queryable = { query(config: pg.QueryConfig): Promise<pg.QueryResult> };

/**
 * Transactions are made of a few dozen fixed texts: each connection has PostgreSQL parse and plan one of them once, under this name.
 * Texts put together from a request's filters run alone (`reading`), and are not kept.
 */
const names = new Map<string, string>();
const nameOf = (text: string): string => {
  const known = names.get(text);
  if (known) return known;
  const name = `funnel_${names.size}`;
  names.set(text, name);
  return name;
};

const over = (client: Queryable, named: boolean): Tx => ({
  query: async <Row>(text: string, values: readonly unknown[] = []) => {
    const { rows } = await client.query({ text, values: [...values], ...(named && { name: nameOf(text) }) });
    return rows as Row[];
  },
});

/** Single statements outside any transaction. Errors: UNAVAILABLE, STORAGE_FULL. */
export const reading = (db: Db): Tx => ({
  query: async <Row>(text: string, values?: readonly unknown[]) => {
    try {
      return await over(db.pool, false).query<Row>(text, values);
    } catch (error) {
      throw databaseError(error);
    }
  },
});

const attempts = 10;

/** 2, 4, 8, … ms, at most 200, and up to as much again at random, so that two who collided do not meet again. */
const backoff = (attempt: number): Promise<void> =>
  new Promise((resolve) => {
    const delay = Math.min(200, 2 ** attempt);
    setTimeout(resolve, delay * (1 + Math.random()));
  });

const once = async <T>(db: Db, begin: string, work: (tx: Tx) => Promise<T>): Promise<T> => {
  const client = await db.pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(begin);
    const result = await work(over(client, true));
    await client.query('COMMIT');
    return result;
  } catch (error) {
    if (isUnreachable(error) || isOutdated(error)) broken = error as Error;
    // A failed ROLLBACK means a broken connection: the pool throws it away and the server rolls back.
    else
      await client.query('ROLLBACK').catch((failure: Error) => {
        broken = failure;
      });
    throw error;
  } finally {
    client.release(broken);
  }
};

/**
 * Runs `work` in one READ COMMITTED transaction, again when PostgreSQL chose it as a deadlock's victim: `work` must have no effects but
 * its statements. Errors: UNAVAILABLE when the connection breaks (then it is unknown whether a COMMIT under way arrived, so every
 * operation of this package may safely be called again), STORAGE_FULL, and what `work` throws.
 */
export const transaction = async <T>(
  db: Db,
  work: (tx: Tx) => Promise<T>,
  { snapshot = false } = {},
): Promise<T> => {
  const begin = snapshot ? 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY' : 'BEGIN';
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(db, begin, work);
    } catch (error) {
      if (!isRetriable(error) || attempt >= attempts) throw databaseError(error);
      await backoff(attempt);
    }
  }
};
