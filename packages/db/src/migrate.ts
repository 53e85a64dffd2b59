/**
 * Applies `prisma/migrations`, forward only. It uses Prisma's table of migrations, in Prisma's format, and Prisma's lock. So `prisma
 * migrate deploy` works on the same database.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@funnel/contracts';
import pg from 'pg';
import { databaseAddress } from './connection/addresses.ts';
import { databaseError, isRetriable, isUnreachable } from './connection/database-errors.ts';
import { migrationNames, migrationsFolder } from './connection/schema-version.ts';

export { migrationsFolder };

/** The oldest major version of PostgreSQL with support; Funnel is tested with it. */
const minVersion = 14;

/** The advisory lock of migrations. `prisma migrate` takes it too, for its session. */
const migrationLock = 72707369;

type Migration = { readonly name: string; readonly sql: string; readonly checksum: string };
type LedgerRow = {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: Date | null;
};

const createLedger = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`;

const readLedger = async (client: pg.Client): Promise<readonly LedgerRow[]> => {
  const { rows } = await client.query<LedgerRow>(
    'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at, migration_name',
  );
  return rows;
};

/** The migrations of this version, oldest first. */
export const readMigrations = (folder = migrationsFolder): Promise<readonly Migration[]> =>
  Promise.all(
    migrationNames(folder).map(async (name) => {
      const sql = await readFile(path.join(folder, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );

const mismatch = (message: string, hint?: string) =>
  new AppError('SCHEMA_MISMATCH', message, { ...(hint !== undefined && { hint }) });

/** Refuses a ledger that this version cannot continue: a newer version wrote it, a migration was edited, or a migration failed. */
const checkLedger = (migrations: readonly Migration[], applied: readonly LedgerRow[]): void => {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const { migration_name: name, checksum, finished_at } of applied) {
    const migration = known.get(name);
    const newest = migrations.at(-1)?.name ?? 'none';
    if (!migration)
      throw mismatch(
        `Expected a database of at most migration ${newest}, but it has ${name}: a newer version of Funnel made it`,
      );
    if (finished_at === null)
      throw mismatch(`Expected migration ${name} to be complete, but its ledger row says that it failed`);
    if (migration.checksum !== checksum)
      throw mismatch(
        `Expected migration ${name} as it was applied (sha-256 ${checksum}), but the file has been changed (${migration.checksum})`,
      );
  }
};

const missingFrom = (
  migrations: readonly Migration[],
  applied: readonly LedgerRow[],
): readonly Migration[] => {
  checkLedger(migrations, applied);
  const done = new Set(applied.map((row) => row.migration_name));
  return migrations.filter((migration) => !done.has(migration.name));
};

const apply = async (client: pg.Client, { name, sql, checksum }: Migration): Promise<void> => {
  try {
    await client.query(sql);
  } catch (error) {
    if (isUnreachable(error) || isRetriable(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Migration ${name} failed, and the database was left as it was before this run: ${reason}`,
      { cause: error },
    );
  }
  await client.query('DISCARD TEMP'); // the next file may have a temporary table of the same name
  await client.query(
    'INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count) VALUES ($1, $2, $3, now(), clock_timestamp(), 1)',
    [randomUUID(), checksum, name],
  );
};

const applyMissing = async (
  client: pg.Client,
  migrations: readonly Migration[],
): Promise<readonly string[]> => {
  await client.query('SELECT pg_advisory_xact_lock($1)', [migrationLock]);
  await client.query(createLedger);
  const missing = missingFrom(migrations, await readLedger(client));
  for (const migration of missing) await apply(client, migration);
  return missing.map((migration) => migration.name);
};

type Blocker = {
  readonly pid: number;
  readonly application: string;
  /** Null when the server does not show it to this user. */
  readonly state: string | null;
  readonly since: Date | null;
  readonly migrates: boolean;
};

/**
 * The processes that block process $1: each holds a lock that $1 waits for, or waits for it before $1. `pg_locks` splits the number of an
 * advisory lock into two columns.
 */
const selectBlockers = `
  SELECT a.pid, a.application_name AS application, a.state, coalesce(a.xact_start, a.state_change) AS since,
    EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory' AND (l.classid, l.objid, l.objsubid) = (0, ${migrationLock}, 1)) AS migrates
  FROM pg_stat_activity a WHERE a.pid = ANY(pg_blocking_pids($1)) ORDER BY migrates DESC, a.pid`;

const describeBlocker = ({ pid, application, state, since, migrates }: Blocker): string => {
  const who = migrates ? 'another migration' : 'a connection that uses the tables';
  const details = `pid ${pid}, since ${since?.toISOString() ?? 'a time that is not shown'}, application ${application || 'without a name'}`;
  // Funnel 0.1 took a lock of the session. A pooler keeps such a lock.
  const advice =
    migrates && state === 'idle'
      ? `; this connection is idle: if it stays idle, a pooler keeps the lock of a migration that has ended, and SELECT pg_terminate_backend(${pid}) frees the lock`
      : '';
  return `waits for ${who} (${details})${advice}`;
};

const checkIntervalMs = 1000;
/** After this many checks a continuing wait is reported again. */
const checksUntilRepeat = 60;

/**
 * If the server's process `pid` waits for more than a second, calls `onWait` with the processes that block it. The returned function ends
 * the reports. `withClient` opens a second connection, but not before that second is over. A failure of this connection has no effect.
 */
const reportBlockers = (
  pid: number,
  onWait: (words: string) => void,
  withClient: (use: (client: pg.Client) => Promise<void>) => Promise<void>,
): (() => Promise<void>) => {
  const ended = new AbortController();
  const pause = () => sleep(checkIntervalMs, undefined, { signal: ended.signal });
  const watch = async (client: pg.Client): Promise<void> => {
    let reported = '';
    for (let checks = 0; ; checks++) {
      const { rows } = await client.query<Blocker>(selectBlockers, [pid]);
      const pids = rows.map((row) => row.pid).join();
      if (pids !== '' && (pids !== reported || checks % checksUntilRepeat === 0))
        onWait(`The migration ${rows.map(describeBlocker).join('; ')}`);
      reported = pids;
      await pause();
    }
  };
  const watching = pause()
    .then(() => withClient(watch))
    .catch(() => {});
  return async (): Promise<void> => {
    ended.abort();
    await watching;
  };
};

/** Calls `use` with a connection of its own. */
const connected = async <T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({
    connectionString: databaseAddress(url),
    application_name: 'funnel migrate',
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => {}); // the current statement also rejects with this error, and the caller handles it
  try {
    await client.connect();
    return await use(client);
  } catch (error) {
    throw databaseError(error);
  } finally {
    await client.end().catch(() => {}); // closed or broken
  }
};

const checkServer = async (client: pg.Client): Promise<void> => {
  const version = Number((await client.query('SHOW server_version_num')).rows[0].server_version_num);
  if (version < minVersion * 10_000)
    throw mismatch(
      `Expected PostgreSQL ${minVersion} or newer, but the server is ${Math.floor(version / 10_000)}`,
    );
};

/**
 * Begins the transaction, and returns the process id in the server. The lock and the settings belong to the transaction, so a pooler that
 * gives the connection to another client passes on neither.
 */
const begin = async (client: pg.Client): Promise<number> => {
  await client.query('BEGIN');
  // Time limits of the role or the database are for requests. The time of a migration grows with the tables.
  await client.query(
    `SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN ('statement_timeout', 'lock_timeout', 'transaction_timeout')`,
  );
  // A migration whose process is suspended or whose connection is silent must not block the others for ever.
  await client.query(`SET LOCAL idle_in_transaction_session_timeout = '60s'`);
  return (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]!.pid;
};

const maxTries = 10;

/** Applies all migrations or none. Tries again after a deadlock with processes that still use the old tables. */
const applyInOne = async (
  client: pg.Client,
  migrations: readonly Migration[],
  watch: (pid: number) => () => Promise<void>,
): Promise<readonly string[]> => {
  for (let tries = 1; ; tries++) {
    let endWatch: (() => Promise<void>) | undefined;
    try {
      endWatch = watch(await begin(client));
      const applied = await applyMissing(client, migrations);
      await client.query('COMMIT');
      return applied;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {}); // without a connection there is nothing to roll back
      if (!isRetriable(error) || tries === maxTries) throw error;
    } finally {
      await endWatch?.();
    }
  }
};

export type MigrateOptions = {
  readonly folder?: string;
  /**
   * Called when the migration waits for more than a second, with a sentence that names the blocking connections. Called again every minute.
   */
  readonly onWait?: (words: string) => void;
};

/**
 * Brings the database at `url` to this version, in one transaction: a failure leaves the database as it was. Two processes that migrate at
 * the same time wait for each other, without a limit. Resolves to the names of the migrations that it applied. Errors: SCHEMA_MISMATCH (a
 * newer version made the database, or a migration was edited or is incomplete), UNAVAILABLE.
 */
export const migrate = (
  url: string,
  { folder = migrationsFolder, onWait = () => {} }: MigrateOptions = {},
): Promise<readonly string[]> =>
  connected(url, async (client) => {
    const migrations = await readMigrations(folder);
    await checkServer(client);
    const applied = await applyInOne(client, migrations, (pid) =>
      reportBlockers(pid, onWait, (use) => connected(url, use)),
    );
    // After a restore into a new cluster, stored transaction numbers may be larger than the numbers of the cluster. Such events could not
    // be read in order.
    await client.query('DELETE FROM events WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())');
    return applied;
  });

/**
 * The names of the migrations that `migrate` would apply, oldest first. Changes nothing. Errors: SCHEMA_MISMATCH (as for `migrate`),
 * UNAVAILABLE.
 */
export const pendingMigrations = (
  url: string,
  { folder = migrationsFolder } = {},
): Promise<readonly string[]> =>
  connected(url, async (client) => {
    const { rows } = await client.query("SELECT to_regclass('_prisma_migrations') IS NOT NULL AS made");
    const missing = missingFrom(await readMigrations(folder), rows[0].made ? await readLedger(client) : []);
    return missing.map(({ name }) => name);
  });

/**
 * Checks that another process has brought the database to this version. Errors: SCHEMA_MISMATCH (as for `migrate`, and when a migration is
 * missing), UNAVAILABLE.
 */
export const checkSchema = async (url: string, options?: { readonly folder?: string }): Promise<void> => {
  const missing = await pendingMigrations(url, options);
  if (missing.length > 0)
    throw mismatch(
      `Expected a database of migration ${missing.at(-1)}, but ${missing[0]} has not been applied: start the API of this version, or run \`npx funnel migrate\``,
      'The API migrates its database when it starts.',
    );
};
