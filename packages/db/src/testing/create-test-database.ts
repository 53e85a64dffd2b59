/** An empty, migrated database of a test file's own: a clone of a template, made in some 50 ms. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createDb, type Db, type DbOptions } from '../connection/db.ts';
import { administer, databaseUrl, startTestServer, type TestServer } from './test-server.ts';

export type TestDatabase = {
  readonly url: string;
  /** Drops it, whoever is still connected. */
  drop(): Promise<void>;
};

type Source = { readonly url: string; readonly template: string; stop?(): Promise<void> };

/** From the test run's shared server. */
const ask = async (port: number): Promise<Source> => {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  await once(socket, 'end');
  const answer = JSON.parse(text) as Source | { error: string }; // written by global-setup.ts
  if ('error' in answer) throw new Error(answer.error);
  return answer;
};

let own: { server: Promise<TestServer>; users: number } | undefined;

/** Outside vitest: a server of this process, stopped when the last database is dropped. */
const ownServer = async (): Promise<Source> => {
  own ??= { server: startTestServer(), users: 0 };
  const current = own;
  current.users++;
  const server = await current.server;
  return {
    ...server,
    stop: async () => {
      if (--current.users > 0) return;
      own = undefined;
      await server.stop();
    },
  };
};

/** `migrated: false` gives an empty database. */
export const createTestDatabase = async ({ migrated = true } = {}): Promise<TestDatabase> => {
  const port = Number(process.env.FUNNEL_TEST_SERVER ?? 0);
  const source = port > 0 ? await ask(port) : await ownServer();
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

/** The same with connections to it; `close` drops the database. */
export const openTestDb = async (options?: DbOptions): Promise<Db> => {
  const database = await createTestDatabase();
  const db = createDb(database.url, options);
  return {
    ...db,
    close: async () => {
      await db.close();
      await database.drop();
    },
  };
};
