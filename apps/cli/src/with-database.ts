import { join, resolve } from 'node:path';
import { createDb, type Db, migrate, startEmbedded } from '@funnel/db';
import type { Env } from './env.ts';

/** Where the database is: DATABASE_URL, else the embedded one of this folder, started unless it runs already. */
export const withDatabaseUrl = async <T>(env: Env, work: (url: string) => Promise<T>): Promise<T> => {
  if (env.DATABASE_URL) return work(env.DATABASE_URL);
  const embedded = await startEmbedded({ dir: join(resolve(env.FUNNEL_HOME), 'pgdata') });
  try {
    return await work(embedded.url);
  } finally {
    await embedded.stop();
  }
};

/** Runs `work` on the migrated database; what it took to get there is taken down again. */
export const withDatabase = <T>(env: Env, work: (db: Db) => Promise<T>): Promise<T> =>
  withDatabaseUrl(env, async (url) => {
    await migrate(url);
    const db = createDb(url, { max: 2, name: 'funnel cli' });
    try {
      return await work(db);
    } finally {
      await db.close();
    }
  });
