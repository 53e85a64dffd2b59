import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createDb, type Db, migrate, startEmbedded } from '@funnel/db';
import type { Context } from './context.ts';
import type { Env } from './env.ts';
import { Exit, exitCodes } from './exit.ts';

type Options = {
  /** Where nothing has run yet, make the embedded database; who only looks, in the wrong folder perhaps, should not. (Default: false) */
  readonly make?: boolean;
};

/** What a person is told of a database that was brought to this version. */
export const describeMigrations = (applied: readonly string[]): string =>
  `The database was brought to this version: ${applied.join(', ')}`;

/** Where the database is: DATABASE_URL, else the embedded one of this folder, started unless it runs already. */
export const withDatabaseUrl = async <T>(
  env: Env,
  work: (url: string) => Promise<T>,
  { make = false }: Options = {},
): Promise<T> => {
  if (env.DATABASE_URL) return work(env.DATABASE_URL);
  const home = resolve(env.FUNNEL_HOME);
  const dir = join(home, 'pgdata');
  if (!make && !existsSync(dir))
    throw new Exit(
      exitCodes.failed,
      `There is no database in ${home}.\n→ Go to the folder where Funnel was started, or say where it is with FUNNEL_HOME or DATABASE_URL.`,
    );
  const embedded = await startEmbedded({ dir });
  try {
    return await work(embedded.url);
  } finally {
    await embedded.stop();
  }
};

/** Runs `work` on the migrated database; what it took to get there is taken down again. */
export const withDatabase = <T>(
  { env, output }: Context,
  work: (db: Db) => Promise<T>,
  options?: Options,
): Promise<T> =>
  withDatabaseUrl(
    env,
    async (url) => {
      const applied = await migrate(url, { onWait: output.note });
      if (applied.length > 0) output.note(describeMigrations(applied));
      const db = createDb(url, { max: 2, name: 'funnel cli' });
      try {
        return await work(db);
      } finally {
        await db.close();
      }
    },
    options,
  );
