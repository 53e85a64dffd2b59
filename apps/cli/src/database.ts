/** The commands that use the database directly, without the API. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Role } from '@funnel/contracts';
import {
  actingAs,
  createDb,
  type Db,
  listTokens,
  migrate,
  revokeToken,
  saveToken,
  startEmbedded,
  type TokenInfo,
} from '@funnel/db';
import type { Context } from './context.ts';
import type { Env } from './env.ts';
import { Exit, exitCodes } from './exit.ts';
import { embeddedFolder, makeHome } from './home.ts';

type Options = {
  /**
   * Creates the embedded database if it does not exist. Commands that only read do not, because they may run in the wrong folder. (Default:
   * false)
   */
  readonly make?: boolean;
};

/**
 * Runs `action` with the address of the database: that of DATABASE_DIRECT_URL or DATABASE_URL, else the embedded one of this folder, started if
 * it does not run.
 */
const withDatabaseUrl = async <T>(
  env: Env,
  action: (url: string) => Promise<T>,
  { make = false }: Options = {},
): Promise<T> => {
  if (env.DATABASE_URL) return action(env.DATABASE_DIRECT_URL ?? env.DATABASE_URL);
  const home = resolve(env.FUNNEL_HOME);
  const dir = embeddedFolder(home);
  if (!make && !existsSync(dir))
    throw new Exit(
      exitCodes.failed,
      `There is no database in ${home}.\n→ Go to the folder in which you started Funnel, or set FUNNEL_HOME or DATABASE_URL.`,
    );
  makeHome(env);
  const embedded = await startEmbedded({ dir });
  try {
    return await action(embedded.url);
  } finally {
    await embedded.stop();
  }
};

/** The sentence that tells a user about applied migrations. */
export const describeMigrations = (applied: readonly string[]): string =>
  `Migrated the database: ${applied.join(', ')}`;

/** Migrates the database, runs `action` on it, and closes the connections. Stops the embedded database if this call started it. */
const withDatabase = <T>(
  { env, output }: Context,
  action: (db: Db) => Promise<T>,
  options?: Options,
): Promise<T> =>
  withDatabaseUrl(
    env,
    async (url) => {
      const applied = await migrate(url, { onWait: output.note });
      if (applied.length > 0) output.note(describeMigrations(applied));
      const db = createDb(url, { max: 2, name: 'funnel cli' });
      try {
        return await action(db);
      } finally {
        await db.close();
      }
    },
    options,
  );

/** Returns the names of the migrations that it applied. */
export const migrateDatabase = ({ env, output }: Context): Promise<readonly string[]> =>
  withDatabaseUrl(env, (url) => migrate(url, { onWait: output.note }));

/** The author of changes that commands make in the database itself. */
const author = { actor: 'cli', address: null } as const;

type NewToken = { readonly name: string; readonly role: Role; readonly hash: string };

export const addToken = (context: Context, { name, role, hash }: NewToken): Promise<void> =>
  withDatabase(
    context,
    async (db) => {
      await saveToken(actingAs(db, author), { name, role, hash });
    },
    // Before the first start on an address other than loopback, a token must exist. So the database may not exist yet.
    { make: true },
  );

export const readTokens = (context: Context): Promise<readonly TokenInfo[]> =>
  withDatabase(context, listTokens);

/** Resolves to the names of the tokens that are still valid. */
export const endToken = (context: Context, name: string): Promise<readonly string[]> =>
  withDatabase(context, async (db) => {
    await revokeToken(actingAs(db, author), name);
    const tokens = await listTokens(db);
    return tokens.filter(({ revokedAt }) => revokedAt === null).map((token) => token.name);
  });
