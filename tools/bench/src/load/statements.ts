/** The SQL that a read consists of, taken down while it runs, so that it can be run again by itself: what the service cannot beat. */
import type { Db } from '@funnel/db';

/** What the read handed to the driver. */
export type Statement = { readonly text: string; readonly values?: unknown[] };

type Client = Awaited<ReturnType<Db['connect']>>;

const listened = (client: Client, statements: Statement[]): Client =>
  new Proxy(client, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return member;
      if (key !== 'query') return member.bind(target);
      return (statement: Statement) => {
        statements.push(statement);
        return target.query(statement);
      };
    },
  });

export const recordStatements = async (
  db: Db,
  read: (db: Db) => Promise<unknown>,
): Promise<readonly Statement[]> => {
  const statements: Statement[] = [];
  await read({ ...db, connect: async () => listened(await db.connect(), statements) });
  return statements;
};

/** One after the other, on any connection. */
export const replay = async (db: Db, statements: readonly Statement[]): Promise<void> => {
  for (const { text, values } of statements) await db.pool.query({ text, values });
};
