import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Db, registerWorker, retireWorker } from '../../packages/db/src/index.ts';
import { openTestDb } from '../../packages/db/src/testing/index.ts';

const script = fileURLToPath(new URL('../docker/healthy.mjs', import.meta.url));

/** Runs the check as a container's engine does. */
const check = (part: string, env: Record<string, string>): Promise<{ code: number; said: string }> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [script, part],
      { env: { PATH: process.env.PATH, ...env } },
      (error, out, err) => resolve({ code: Number(error?.code ?? 0), said: out + err }),
    );
  });

describe('infra/docker/healthy.mjs api', () => {
  let server: Server;
  let status = 200;
  let port = '';
  beforeAll(async () => {
    server = createServer((request, response) =>
      response.writeHead(request.url === '/healthz' ? status : 404).end(),
    );
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    port = String((server.address() as AddressInfo).port);
  });
  afterAll(() => server.close());

  it('succeeds only when the API answers with 200', async () => {
    expect(await check('api', { FUNNEL_PORT: port })).toEqual({ code: 0, said: '' });
    status = 503;
    expect(await check('api', { FUNNEL_PORT: port })).toMatchObject({
      code: 1,
      said: 'the API answered 503\n',
    });
    expect((await check('api', { FUNNEL_PORT: '1' })).code).toBe(1);
  });
});

describe('infra/docker/healthy.mjs worker', () => {
  let db: Db;
  beforeAll(async () => {
    db = await openTestDb();
  });
  afterAll(() => db.close());
  const ask = () => check('worker', { DATABASE_URL: db.url });

  it('succeeds only with a worker of this host that has a fresh heartbeat', async () => {
    const worker = { pid: 1, version: '1', backend: 'wasm', device: 'cpu', slots: 1 };
    await registerWorker(db, { ...worker, id: 'elsewhere', host: 'elsewhere' });
    expect(await ask()).toEqual({ code: 1, said: 'no worker of this host is online\n' });
    await registerWorker(db, { ...worker, id: 'here', host: hostname() });
    expect(await ask()).toEqual({ code: 0, said: '' });
    await db.pool.query(`UPDATE workers SET heartbeat_at = now() - interval '2 minutes' WHERE id = 'here'`);
    expect(await ask()).toMatchObject({
      code: 1,
      said: expect.stringMatching(/^the last heartbeat is 1[2-9]\d s old$/m),
    });
    await retireWorker(db, { workerId: 'here', status: 'gone' });
    expect((await ask()).code).toBe(1);
  });

  it('succeeds while the database does not answer', async () => {
    const away = await check('worker', { DATABASE_URL: 'postgres://funnel@127.0.0.1:1/funnel' });
    expect(away).toMatchObject({ code: 0, said: expect.stringContaining('the database does not answer') });
  });
});
