/** Every answer has these headers, whether the API answers the request or refuses it, and wherever in the code it does so. */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Problem } from '@funnel/contracts';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { addToken, build, type TestApp, tokenOf } from './build.ts';

let api: TestApp;
let webFolder: string;
let port: number;
beforeAll(async () => {
  webFolder = await mkdtemp(path.join(tmpdir(), 'funnel-web-'));
  await mkdir(path.join(webFolder, 'assets'));
  await writeFile(path.join(webFolder, 'index.html'), '<!doctype html><title>Funnel</title>');
  await writeFile(path.join(webFolder, 'assets/page-0a1b.js'), 'export {};');
  api = await build({ webFolder, limits: { bodyBytes: 1000, streams: 0 } });
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  port = (api.app.server.address() as { port: number }).port;
});
afterAll(async () => {
  await api.close();
  await rm(webFolder, { recursive: true });
});

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy': expect.stringMatching(/default-src 'self'.*frame-ancestors 'none'/),
};

/** The answer must have the headers; if it is a problem, the problem must have the same id. */
const expectHeaders = ({ headers, body }: Pick<LightMyRequestResponse, 'headers' | 'body'>): void => {
  expect(headers).not.toHaveProperty('x-powered-by');
  expect(headers).toMatchObject({ ...securityHeaders, 'x-request-id': expect.stringMatching(uuid) });
  if (body === '' || !String(headers['content-type']).includes('problem+json')) return;
  expect(Problem.parse(JSON.parse(body)).instance).toBe(`urn:uuid:${headers['x-request-id']}`);
};

const post = (payload: string, type: string, url = '/v1/sweeps'): InjectOptions => ({
  method: 'POST',
  url,
  payload,
  headers: { 'content-type': type },
});
const json = 'application/json';

test.each<[number, string, InjectOptions]>([
  [200, 'a route', { url: '/v1/sweeps' }],
  [200, 'the OpenAPI document', { url: '/openapi.json' }],
  [200, 'a page', { url: '/', headers: { accept: 'text/html' } }],
  [200, 'a file', { url: '/assets/page-0a1b.js' }],
  [200, 'the documentation', { url: '/docs/' }],
  [204, 'OPTIONS', { url: '/v1/sweeps', method: 'OPTIONS' }],
  [400, 'a body that is not JSON', post('{', json)],
  [400, 'a body with a fault', post('{"name":1}', json)],
  [400, 'an unknown parameter', { url: '/v1/sweeps?x=1' }],
  [400, 'an address that does not decode', { url: '/v1/sweeps/%zz' }],
  [400, 'a parameter that is too long', { url: `/v1/sweeps/${'x'.repeat(2000)}` }],
  [403, 'another site', { ...post('{}', json), headers: { origin: 'https://evil.test' } }],
  [404, 'an unknown route', { url: '/nothing' }],
  [404, 'an unknown file', { url: '/assets/none.js' }],
  [404, 'an unknown sweep', { url: '/v1/sweeps/none' }],
  [405, 'another method', { url: '/v1/sweeps', method: 'PUT' }],
  [413, 'a body that is too large', post(JSON.stringify({ name: 'x'.repeat(2000) }), json)],
  [415, 'another content type', post('<sweep/>', 'text/xml')],
  [421, 'another Host', { url: '/v1/sweeps', headers: { host: 'evil.test' } }],
  [503, 'a stream beyond the limit', { url: '/v1/events' }],
])('%i for %s', async (status, _, request) => {
  const response = await api.app.inject(request);
  expect(response.statusCode).toBe(status);
  expectHeaders(response);
});

test('304 for a file that the browser has', async () => {
  const first = await api.app.inject('/assets/page-0a1b.js');
  const headers = { 'if-none-match': String(first.headers.etag) };
  const again = await api.app.inject({ url: '/assets/page-0a1b.js', headers });
  expect(again.statusCode).toBe(304);
  expectHeaders(again);
  expect(again.headers['x-request-id']).not.toBe(first.headers['x-request-id']);
});

test('401 without a token, 403 for a lower role, 429 beyond the rate', async () => {
  const own = await build({ limits: { requestsPerMinute: 2 }, prepare: (db) => addToken(db, 'read') });
  onTestFinished(own.close);
  const authorization = `Bearer ${tokenOf('read')}`;
  const answers = [
    await own.app.inject('/v1/sweeps'),
    await own.app.inject({ url: '/v1/audit', headers: { authorization } }),
    await own.app.inject('/healthz'),
  ];
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([401, 403, 429]);
  answers.forEach(expectHeaders);
});

test('an open stream has the headers', async () => {
  const own = await build();
  onTestFinished(own.close);
  const response = await own.app.inject({ url: '/v1/events', payloadAsStream: true });
  response.stream().destroy();
  expect(response.statusCode).toBe(200);
  expectHeaders({ headers: response.headers, body: '' });
});

/** The answers on one connection, after `text` was sent on it. */
const send = async (text: string): Promise<LightMyRequestResponse['headers'][]> => {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    received += chunk;
  });
  socket.write(text);
  await once(socket, 'close');
  return answersIn(received);
};

const answersIn = (received: string): LightMyRequestResponse['headers'][] =>
  received
    .split(/(?=HTTP\/1\.1 \d)/)
    .filter((answer) => answer !== '')
    .map((answer) => {
      const [line = '', ...fields] = answer.split('\r\n\r\n')[0]!.split('\r\n');
      const pairs = fields.map((field): [string, string] => {
        const [name = '', ...value] = field.split(': ');
        return [name.toLowerCase(), value.join(': ')];
      });
      return { status: line.split(' ')[1], ...Object.fromEntries(pairs) };
    });

describe('on a bare connection', () => {
  test.each([
    ['400', 'no HTTP', 'hello\r\n\r\n'],
    [
      '431',
      'a header that is too large',
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    ],
    ['400', 'no Host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n'],
    [
      '200',
      'an unknown expectation',
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\nExpect: x\r\nConnection: close\r\n\r\n',
    ],
  ])('%s for %s', async (status, _, text) => {
    const [answer] = await send(text);
    expect(answer).toMatchObject({ status, 'x-request-id': expect.stringMatching(uuid) });
    if (status !== '200') expect(answer!['content-type']).toBe('application/problem+json; charset=utf-8');
  });
});

test('while the service closes, a second request on a busy connection gets 503', async () => {
  const own = await build();
  onTestFinished(() => own.db.close());
  await own.app.listen({ host: '127.0.0.1', port: 0 });
  const lock = await own.db.pool.connect();
  await lock.query('BEGIN');
  await lock.query('LOCK TABLE sweeps');

  const socket = connect((own.app.server.address() as { port: number }).port, '127.0.0.1');
  let received = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    received += chunk;
  });
  const closed = once(socket, 'close');
  socket.write('GET /v1/sweeps HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'sweeps'::regclass";
  await vi.waitFor(async () => expect((await own.db.pool.query(waiting)).rowCount).toBe(1), 30_000);

  const closing = own.app.close();
  await vi.waitFor(() => expect(own.app.server.listening).toBe(false), 30_000);
  const second = once(own.app.server, 'request');
  socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await second;
  await lock.query('ROLLBACK');
  lock.release();
  await Promise.all([closing, closed]);
  expect(answersIn(received)).toMatchObject([
    { status: '200', 'x-request-id': expect.stringMatching(uuid) },
    {
      status: '503',
      'x-request-id': expect.stringMatching(uuid),
      'content-type': 'application/problem+json; charset=utf-8',
      'retry-after': '2',
    },
  ]);
});
