/** Clients that hold connections without sending a request, and clients that send too much. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { completeLimits } from '@funnel/contracts';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { build, type TestApp } from '../build.ts';

let api: TestApp;
let port: number;
beforeAll(async () => {
  api = await build({ arrivalSeconds: 1, limits: { streams: 3 } });
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  port = (api.app.server.address() as { port: number }).port;
});
afterAll(() => api.close());

/** A connection, and everything that it receives until it closes. */
const dial = (): { readonly socket: Socket; readonly answer: Promise<string> } => {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => {});
  return { socket, answer: once(socket, 'close').then(() => text) };
};

test.each([
  ['nothing', ''],
  ['half of a head', 'GET /v1/sweeps HTTP/1.1\r\nHost: localhost\r\nX-A: '],
  [
    'half of a body',
    'POST /v1/sweeps HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
  ],
])('a client that sends %s loses its connection', async (_, bytes) => {
  const { socket, answer } = dial();
  socket.write(bytes);
  expect(await answer).toMatch(
    /^(HTTP\/1.1 408 Request Timeout\r\nContent-Type: application\/problem\+json|$)/,
  );
});

test('a client that sends its header byte by byte gets a 408', async () => {
  const { socket, answer } = dial();
  socket.write('GET /v1/sweeps HTTP/1.1\r\nHost: localhost\r\n');
  const dripping = setInterval(() => socket.write('X-A: b\r\n'), 50);
  expect(await answer.finally(() => clearInterval(dripping))).toMatch(/^HTTP\/1.1 408 Request Timeout/);
});

test.each([
  ['a header', `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`],
  ['an address', `GET /healthz?${'a'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
  [
    'a token',
    `GET /healthz HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${'a'.repeat(20_000)}\r\n\r\n`,
  ],
])('%s of 20,000 characters is refused with 431', async (_, request) => {
  const { socket, answer } = dial();
  socket.write(request);
  expect(await answer).toMatch(/^HTTP\/1.1 431 .*\r\nContent-Type: application\/problem\+json/);
});

test.each([
  ['/v1/sweeps', 'application/json', 413],
  ['/v1/sweeps', 'application/yaml', 413],
  ['/v1/nowhere', 'application/json', 413],
  ['/v1/nowhere', 'application/octet-stream', 415],
])(
  'a client that sends a large body to %s as %s gets its refusal, and may go on sending',
  async (path, type, status) => {
    const bytes = 8 * 2 ** 20;
    const { socket, answer } = dial();
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${bytes}\r\n\r\n`;
    socket.write(head);
    socket.write(Buffer.alloc(bytes / 2));
    await once(socket, 'data');
    socket.write(Buffer.alloc(bytes / 2));
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const answers = (await answer).match(/HTTP\/1.1 \d+/g);
    expect(answers).toEqual([`HTTP/1.1 ${status}`, 'HTTP/1.1 200']);
  },
);

test('the number of connections is limited', async () => {
  expect(api.app.server.maxConnections).toBe(3 + 2000);
  expect(await fetch(`http://127.0.0.1:${port}/healthz`).then(({ status }) => status)).toBe(200);
});

test('an address that opens too many connections loses the further ones, and other addresses keep theirs', async () => {
  const own = await build({ limits: { ownConnections: 5 } });
  onTestFinished(own.close);
  await own.app.listen({ host: '127.0.0.1', port: 0 });
  const { port: at } = own.app.server.address() as { port: number };
  const accepted: Socket[] = [];
  own.app.server.on('connection', (socket) => accepted.push(socket));
  const open = (localAddress: string): Socket =>
    connect({ port: at, host: '127.0.0.1', localAddress }).on('error', () => {});
  const ask = async (socket: Socket): Promise<string> => {
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    return String((await once(socket, 'data'))[0]).slice(0, 12);
  };
  const slow = Array.from({ length: 40 }, () => open('127.0.0.1'));
  await expect.poll(() => accepted.length, { timeout: 30_000 }).toBe(40);
  expect(accepted.filter(({ destroyed }) => !destroyed)).toHaveLength(5);
  expect(await ask(open('127.0.0.2'))).toBe('HTTP/1.1 200');

  // A closed connection gives its place back.
  for (const socket of slow) socket.destroy();
  await Promise.all(
    accepted
      .filter(({ remoteAddress, destroyed }) => remoteAddress === '127.0.0.1' && !destroyed)
      .map((socket) => once(socket, 'close')),
  );
  expect(await ask(open('127.0.0.1'))).toBe('HTTP/1.1 200');
});

test.each([
  ['on loopback', {}, 1500],
  ['where others call', { isLoopback: false }, 625],
  ['behind a proxy', { isLoopback: false, trustsProxy: true }, 2500],
])('%s, one address may have its share of 2,500 connections', (_, conditions, share) => {
  expect(completeLimits({ streams: 500 }, conditions).ownConnections).toBe(share);
});

test('a client that does not read its answer loses its connection before the rest is read from the database', async () => {
  const own = await build({ idleSeconds: 0.5 });
  onTestFinished(own.close);
  await own.app.listen({ host: '127.0.0.1', port: 0 });
  const [weights] = (
    await own.db.pool.query(
      `INSERT INTO blobs (sha256, bytes) SELECT encode(sha256(b), 'hex'), b FROM (SELECT decode(repeat('00', 64 * 1024 * 1024), 'hex') AS b) AS t
       RETURNING sha256`,
    )
  ).rows;
  await own.db.pool.query(`INSERT INTO chains (id, hash) VALUES (1, 'chain')`);
  const network = { topology: {}, weights: [{ name: 'w', shape: [2 ** 24] }], blob: weights.sha256 };
  const manifest = {
    position: { epoch: 1, step: 0 },
    ...{ networks: { encoder: network }, moments: null, scalars: {} },
  };
  await own.db.pool.query(
    `INSERT INTO checkpoints (chain_id, epoch, step, hash, manifest, continuable) VALUES (1, 1, 0, 'hash', $1, false)`,
    [JSON.stringify(manifest)],
  );
  const path = '/v1/checkpoints/hash/encoder/weights.bin';
  const { port: at } = own.app.server.address() as { port: number };
  const socket = connect(at, '127.0.0.1');
  socket.on('error', () => {});
  const [served] = (await Promise.all([
    once(own.app.server, 'connection'),
    once(socket, 'connect').then(() => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)),
  ]).then(([[first]]) => [first])) as [Socket];
  socket.pause();
  await once(served, 'close');
  expect(served.bytesWritten).toBeLessThan(32 * 2 ** 20);
  socket.destroy();
  // A client that reads gets all of it.
  const answer = await fetch(`http://127.0.0.1:${at}${path}`);
  expect(answer.headers.get('content-length')).toBe(String(64 * 2 ** 20));
  expect((await answer.arrayBuffer()).byteLength).toBe(64 * 2 ** 20);
});
