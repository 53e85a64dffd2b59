import { once } from 'node:events';
import { connect } from 'node:net';
import { AppError, errors, Problem } from '@funnel/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asAppError, toProblem } from '../src/problems.ts';
import { build, type TestApp } from './build.ts';

let api: TestApp;
beforeAll(async () => {
  api = await build();
});
afterAll(() => api.close());

describe('every refusal is problem+json', () => {
  test.each([
    ['GET', '/nothing', 404, 'ROUTE_NOT_FOUND'],
    ['GET', '/v1/', 404, 'ROUTE_NOT_FOUND'],
    ['GET', '/v1/sweeps/none', 404, 'NOT_FOUND'],
    ['GET', '/v1/trials/none', 404, 'NOT_FOUND'],
    ['GET', '/v1/stages/none/evaluation', 404, 'NOT_FOUND'],
    ['GET', '/v1/checkpoints/none/encoder/model.json', 404, 'NOT_FOUND'],
    ['GET', '/v1/events?sweep=none', 404, 'NOT_FOUND'],
    ['PUT', '/v1/sweeps', 405, 'METHOD_NOT_ALLOWED'],
    ['DELETE', '/v1/leaderboard', 405, 'METHOD_NOT_ALLOWED'],
    ['POST', '/v1/sweeps/none', 405, 'METHOD_NOT_ALLOWED'],
    ['HEAD', '/v1/events', 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/v1/sweeps?limit=0', 400, 'INVALID_REQUEST'],
    ['GET', '/v1/sweeps?cursor=abc', 400, 'INVALID_REQUEST'],
    ['GET', '/v1/sweeps?search=%00', 400, 'INVALID_REQUEST'],
    ['GET', '/v1/sweeps?__proto__=1', 400, 'INVALID_REQUEST'],
    ['GET', '/v1/workers?all=1', 400, 'INVALID_REQUEST'],
    ['GET', '/v1/leaderboard?where=gama:1', 400, 'INVALID_REQUEST'],
    ['GET', '/v1/compare?trials=one', 400, 'INVALID_REQUEST'],
    ['GET', '/v1/compare?trials=a,b,c,d,e,f,g', 400, 'INVALID_REQUEST'],
    ['GET', '/v1/compare?trials=a,b', 404, 'NOT_FOUND'],
    ['GET', '/v1/sweeps/%zz', 400, 'INVALID_REQUEST'],
    ['GET', `/v1/sweeps/${'x'.repeat(200)}`, 400, 'INVALID_REQUEST'],
    ['GET', `/v1/sweeps/${'x'.repeat(2000)}`, 400, 'INVALID_REQUEST'],
  ] as const)('%s %s', async (method, url, status, code) => {
    const response = await api.app.inject({ method, url });
    expect(response.statusCode).toBe(status);
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    if (method === 'HEAD') return;
    const problem = Problem.parse(response.json());
    expect(problem).toMatchObject({ status, code, title: errors[code].title, hint: errors[code].hint });
    expect(problem.instance).toMatch(/^urn:uuid:/);
    expect(response.body).not.toMatch(/node_modules|\.ts:\d|\\n +at /);
  });

  test('a body for a route without one', async () => {
    const response = await api.app.inject({
      method: 'POST',
      url: '/v1/sweeps/none/pause',
      payload: { now: true },
    });
    expect(response.json()).toMatchObject({
      code: 'INVALID_REQUEST',
      issues: [{ path: 'body', expected: 'no body' }],
    });
  });

  test('bytes that are not HTTP', async () => {
    await api.app.listen({ host: '127.0.0.1', port: 0 });
    const address = api.app.server.address();
    const socket = connect((address as { port: number }).port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.write('\x16\x03\x01 hello\r\n\r\n');
    await once(socket, 'close');
    expect(text).toMatch(/^HTTP\/1.1 400 Bad Request\r\nContent-Type: application\/problem\+json/);
    expect(Problem.parse(JSON.parse(text.split('\r\n\r\n')[1]!))).toMatchObject({ code: 'INVALID_REQUEST' });
  });
});

describe('methods', () => {
  test('OPTIONS answers the allowed methods', async () => {
    const response = await api.app.inject({ method: 'OPTIONS', url: '/v1/sweeps' });
    expect([response.statusCode, response.headers.allow, response.body]).toEqual([
      204,
      'POST, GET, HEAD, OPTIONS',
      '',
    ]);
    expect((await api.app.inject({ method: 'OPTIONS', url: '/nothing' })).statusCode).toBe(404);
  });

  test('HEAD answers like GET, without the body', async () => {
    const [get, head] = [
      await api.app.inject('/v1/schema'),
      await api.app.inject({ method: 'HEAD', url: '/v1/schema' }),
    ];
    expect([head.statusCode, head.body]).toEqual([200, '']);
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(get.body)));
  });
});

describe('an unknown error', () => {
  test('tells the client nothing', () => {
    const problem = toProblem(asAppError(new Error('password=hunter2')), 'id');
    expect(problem).toMatchObject({ status: 500, code: 'INTERNAL', instance: 'urn:uuid:id' });
    expect(JSON.stringify(problem)).not.toContain('hunter2');
  });

  test('names an unreachable part, but not its address', () => {
    const message = 'PostgreSQL cannot be reached: connect ECONNREFUSED 10.0.0.5:5432';
    const problem = toProblem(new AppError('UNAVAILABLE', message, { part: 'database' }));
    expect(problem).toMatchObject({
      status: 503,
      detail: 'Expected the database to answer, but it does not',
    });
    expect(JSON.stringify(problem)).not.toMatch(/10\.0\.0\.5|5432/);
  });

  test('keeps an AppError as it is', () => {
    const known = new AppError('STORAGE_FULL', 'full');
    expect(asAppError(known)).toBe(known);
    expect(asAppError('a string')).toMatchObject({ code: 'INTERNAL' });
    expect(asAppError(undefined)).toMatchObject({ code: 'INTERNAL' });
  });
});

test('without its database it answers 503 with Retry-After', async () => {
  const own = await build();
  await own.db.pool.end();
  const response = await own.app.inject('/v1/sweeps');
  expect(response.json()).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
  expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
  expect((await own.app.inject('/healthz')).statusCode).toBe(200);
  expect((await own.app.inject('/readyz')).json()).toMatchObject({
    code: 'UNAVAILABLE',
    detail: expect.stringContaining('database'),
  });
  const metrics = await own.app.inject('/metrics');
  expect(metrics.body).toContain('funnel_part_up{part="database"} 0');
  await own.app.close();
});
