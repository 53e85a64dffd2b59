/** One PostgreSQL server for a whole test run, started when the first test asks for it. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { startEmbedded } from '../embedded/start-embedded.ts';
import { migrate } from '../migrate.ts';

export type TestServer = {
  /** Of a superuser, to its maintenance database. */
  readonly url: string;
  /** A database with all migrations applied, to be cloned. */
  readonly template: string;
  stop(): Promise<void>;
};

/** Nothing here outlives the run: the disk need not be waited for. */
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
  client.on('error', () => {}); // the statement is rejected too
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
};

export const startTestServer = async (): Promise<TestServer> => {
  const home = await mkdtemp(path.join(tmpdir(), 'funnel-test-'));
  await chmod(home, 0o711); // the server's user passes through
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
