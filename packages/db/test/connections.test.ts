import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { claimStage, createDb, type Db, heartbeat, pingDatabase } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from '../src/testing/index.ts';

/** A proxy in front of the server. It can drop all bytes without closing a connection, so that neither end notices. */
const openProxy = async (url: string) => {
  const { hostname, port } = new URL(url);
  const clients = new Set<Socket>();
  const cut = new Set<Socket>();
  const proxy = createServer((client) => {
    clients.add(client);
    const server = connect(Number(port), hostname);
    client.on('data', (bytes) => void (cut.has(client) || server.write(bytes)));
    server.on('data', (bytes) => void (cut.has(client) || client.write(bytes)));
    client.on('error', () => {}).on('close', () => server.destroy());
    server.on('error', () => {}).on('close', () => client.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const through = new URL(url);
  through.port = String((proxy.address() as AddressInfo).port);
  return {
    url: through.href,
    /** Drops all bytes of the connections that are open now; new connections work. */
    cut: () => {
      for (const client of clients) cut.add(client);
    },
    close: () => {
      for (const client of clients) client.destroy();
      proxy.close();
    },
  };
};

let database: TestDatabase;
let proxy: Awaited<ReturnType<typeof openProxy>>;
let db: Db;
beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await openProxy(database.url);
  db = createDb(proxy.url, { max: 5 });
});
afterAll(async () => {
  await db.close();
  proxy.close();
  await database.drop();
});

const beat = () => heartbeat(db, { workerId: 'w', leases: [], memoryBytes: null, leaseSeconds: 1 });

test('when all connections go silent, only one heartbeat fails', async () => {
  await Promise.all(Array.from({ length: 5 }, () => pingDatabase(db)));
  expect(db.pool.totalCount).toBe(5);
  proxy.cut();
  await expect(beat()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(await beat()).toMatchObject({ lost: [], stop: [] });
  expect(await claimStage(db, { workerId: 'w', leaseSeconds: 1 })).toBeNull();
});

test('an idle connection that breaks is reported without its password, and is replaced', async () => {
  const database = await createTestDatabase();
  const told: Error[] = [];
  const db = createDb(database.url, { max: 1, onError: (error) => void told.push(error) });
  const other = createDb(database.url, { max: 1 });
  try {
    await pingDatabase(db);
    await other.pool.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    await vi.waitFor(() => expect(told).toHaveLength(1), 30_000);
    expect(told[0]).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('terminating') });
    const text = inspect(told[0], { depth: 10, showHidden: true });
    expect(text).not.toContain(new URL(database.url).password);
    expect(JSON.stringify({ ...told[0] }).length).toBeLessThan(1000);
    await pingDatabase(db);
  } finally {
    await Promise.all([db.close(), other.close()]);
    await database.drop();
  }
});
