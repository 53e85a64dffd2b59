/** Interleaves two operations: the second one runs in the middle of the first, between two of its statements. */
import type pg from 'pg';
import type { Db } from '../../src/index.ts';

/** The same database, but `action` runs to its end before the first statement that contains `text`. */
export const beforeStatement = (db: Db, text: string, action: () => Promise<unknown>): Db => {
  let isDone = false;
  const intercept =
    (client: pg.PoolClient) =>
    async (config: pg.QueryConfig): Promise<pg.QueryResult> => {
      if (!isDone && config.text.includes(text)) {
        isDone = true;
        await action();
      }
      return client.query(config);
    };
  return {
    ...db,
    connect: async () => {
      const client = await db.connect();
      const query = intercept(client);
      return new Proxy(client, {
        get: (target, key) => {
          if (key === 'query') return query;
          const value: unknown = Reflect.get(target, key);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
  };
};
