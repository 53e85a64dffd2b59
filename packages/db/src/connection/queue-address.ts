/**
 * Where a queue is kept: in the database, or where REDIS_URL says. That may be another PostgreSQL, which is then read, verified and
 * explained as the database is.
 */
import { databaseAddress } from './database-address.ts';
import { withoutConnection } from './database-errors.ts';

export type QueueAddress = {
  readonly url: string;
  /** A fault of this PostgreSQL, in words that say what to change and hold no secret. Of Redis the queue knows better. */
  readonly explain?: (error: Error) => Error;
};

/** `queueUrl`: REDIS_URL, if set. Errors: UNAVAILABLE with what to change, when it is of PostgreSQL and none that can be used. */
export const queueAddress = (queueUrl: string | undefined, databaseUrl: string): QueueAddress => {
  const [url, name] =
    queueUrl === undefined ? ([databaseUrl, 'DATABASE_URL'] as const) : ([queueUrl, 'REDIS_URL'] as const);
  if (!/^postgres(ql)?:/i.test(url)) return { url };
  return { url: databaseAddress(url, name), explain: (error) => withoutConnection(error, name) };
};
