/**
 * Databases for tests. One PostgreSQL server serves a whole test run; it starts when the first test asks for a database. Each test file
 * gets its own empty, migrated database: a clone of a template, made in about 50 ms.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { createDb, type Db, type DbOptions } from '../connection/db.ts';
import { startEmbedded } from '../embedded/start-embedded.ts';
import { migrate } from '../migrate.ts';
import { checkStatement } from './check-statement.ts';

export type TestServer = {
  /** The address of the maintenance database, as a superuser. */
  readonly url: string;
  /** The name of a database with all migrations applied, which is cloned for each test file. */
  readonly template: string;
  stop(): Promise<void>;
};

/** No data is needed after the run, so the server need not wait for the disk. */
const settings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  shared_buffers: '128MB',
};

export const databaseUrl = (serverUrl: string, database: string): string => {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
};

/** Runs one statement that cannot be part of a transaction, such as CREATE DATABASE. */
export const administer = async (serverUrl: string, sql: string): Promise<void> => {
  const client = new pg.Client({ connectionString: serverUrl });
  client.on('error', () => {}); // the current statement also rejects with this error
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
};

export const startTestServer = async (): Promise<TestServer> => {
  const home = await mkdtemp(path.join(tmpdir(), 'funnel-test-'));
  await chmod(home, 0o711); // the user that PostgreSQL runs as must be able to enter it
  const server = await startEmbedded({ dir: path.join(home, 'pgdata'), settings });
  const template = 'funnel_template';
  await administer(server.url, `CREATE DATABASE ${template}`);
  await migrate(databaseUrl(server.url, template));
  return {
    url: server.url,
    template,
    stop: async () => {
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
};

export type TestDatabase = {
  readonly url: string;
  /** Drops the database, even if clients are connected. */
  drop(): Promise<void>;
};

type Source = { readonly url: string; readonly template: string; stop?(): Promise<void> };

/** Asks the process of `setup`, which listens on this port, for the shared server. */
const sharedServer = async (port: number): Promise<Source> => {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  await once(socket, 'end');
  const answer = JSON.parse(text) as Source | { error: string }; // written by `setup` below
  if ('error' in answer) throw new Error(answer.error);
  return answer;
};

let started: { server: Promise<TestServer>; users: number } | undefined;

/** For programs outside vitest: a server that belongs to this process and stops when its last database is dropped. */
const ownServer = async (): Promise<Source> => {
  started ??= { server: startTestServer(), users: 0 };
  const current = started;
  current.users++;
  const server = await current.server;
  return {
    ...server,
    stop: async () => {
      if (--current.users > 0) return;
      started = undefined;
      await server.stop();
    },
  };
};

/** `migrated: false` gives a database without tables. */
export const createTestDatabase = async ({ migrated = true } = {}): Promise<TestDatabase> => {
  const port = Number(process.env.FUNNEL_TEST_SERVER ?? 0);
  const source = port > 0 ? await sharedServer(port) : await ownServer();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await administer(
    source.url,
    migrated ? `CREATE DATABASE ${name} TEMPLATE ${source.template}` : `CREATE DATABASE ${name}`,
  );
  return {
    url: databaseUrl(source.url, name),
    drop: async () => {
      await administer(source.url, `DROP DATABASE ${name} WITH (FORCE)`);
      await source.stop?.();
    },
  };
};

/** A test database with connections to it, which check the columns of every statement. `close` drops the database. */
export const openTestDb = async (options?: DbOptions): Promise<Db> => {
  const database = await createTestDatabase();
  const db = createDb(database.url, { onStatement: checkStatement, ...options });
  return {
    ...db,
    close: async () => {
      await db.close();
      await database.drop();
    },
  };
};

/**
 * For `globalSetup` of vitest: starts the shared server when a test process asks for it. Test processes ask over a loopback port, whose number
 * they inherit in FUNNEL_TEST_SERVER.
 */
export const setup = async (): Promise<() => Promise<void>> => {
  let starting: Promise<TestServer> | undefined;
  const broker = createServer(async (socket) => {
    socket.on('error', () => {}); // a test process that ended while it waited
    try {
      starting ??= startTestServer();
      const { url, template } = await starting;
      socket.end(JSON.stringify({ url, template }));
    } catch (error) {
      socket.end(JSON.stringify({ error: String(error) }));
    }
  });
  broker.listen(0, '127.0.0.1');
  await once(broker, 'listening');
  const address = broker.address();
  if (typeof address === 'object' && address) process.env.FUNNEL_TEST_SERVER = String(address.port);
  return async () => {
    broker.close();
    await (await starting)?.stop();
  };
};
