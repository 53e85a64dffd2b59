/** Refusals that say what was wrong and what to do: the hint fits the request. */
import { datasetChunkBytes, type Problem } from '@funnel/contracts';
import { makeDataset } from '@funnel/db/testing';
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { build, oneTrial, type TestApp } from './build.ts';

let api: TestApp;
beforeAll(async () => {
  api = await build({ limits: { bodyBytes: 2 ** 15 } });
});
afterAll(() => api.close());

const refusal = async (request: InjectOptions): Promise<Problem> =>
  (await api.app.inject(request)).json<Problem>();

const made = makeDataset();
const { digest } = made.upload;
const chunk = (payload: Buffer, type: string): InjectOptions => ({
  ...{ method: 'PUT', url: `/v1/datasets/${digest}/chunks/0`, payload, headers: { 'content-type': type } },
});

test('a chunk of another type is told the type of chunks', async () => {
  for (const type of ['application/json', 'text/plain'])
    expect(await refusal(chunk(Buffer.from('{}'), type))).toMatchObject({
      code: 'UNSUPPORTED_MEDIA_TYPE',
      detail: expect.stringContaining('Expected application/octet-stream'),
      hint: 'Send application/octet-stream.',
    });
  expect(
    await refusal({
      ...{ method: 'POST', url: '/v1/sweeps', payload: 'x' },
      headers: { 'content-type': 'a/b' },
    }),
  ).toMatchObject({ hint: 'Send application/json or application/yaml.' });
});

test('a chunk with other bytes is to be uploaded again', async () => {
  await api.app.inject({ method: 'POST', url: '/v1/datasets', payload: made.upload });
  const problem = await refusal(chunk(Buffer.alloc(made.bytes.length), 'application/octet-stream'));
  expect(problem.code).toBe('DATASET_CORRUPT');
  expect(problem.hint).toContain('Upload it again');
  expect(problem.hint).not.toContain('data get');
});

test('an unfinished upload is listed and can be removed', async () => {
  const { upload } = makeDataset({ name: 'half', salt: 3 });
  await api.app.inject({ method: 'POST', url: '/v1/datasets', payload: upload });
  const names = async () =>
    (await api.app.inject('/v1/datasets')).json().unfinished.map(({ name }: { name: string }) => name);
  expect(await names()).toContain('half');
  expect((await api.app.inject({ method: 'DELETE', url: '/v1/datasets/half' })).statusCode).toBe(204);
  expect(await names()).not.toContain('half');
});

test('a body that is too large is told how large it may be, and how large it was', async () => {
  const payload = JSON.stringify({ ...oneTrial, description: 'x'.repeat(2 ** 15) });
  const headers = { 'content-type': 'application/json' };
  expect((await refusal({ method: 'POST', url: '/v1/sweeps', payload, headers })).detail).toBe(
    `Expected at most 32,768 bytes of JSON (FUNNEL_MAX_BODY_BYTES), or 2,048 bytes of YAML, but got ${payload.length.toLocaleString('en-US')}`,
  );
  const large = await refusal(chunk(Buffer.alloc(datasetChunkBytes + 1), 'application/octet-stream'));
  expect(large.detail).toContain(String(datasetChunkBytes));
});

test('a built-in data set is not missing', async () => {
  const removed = await refusal({ method: 'DELETE', url: '/v1/datasets/glyphs' });
  expect(removed.detail).toBe('Expected a data set that somebody added, but glyphs is built in');
  const images = await refusal({ method: 'GET', url: '/v1/datasets/glyphs/images' });
  expect(images.detail).toBe(
    'Expected a data set whose images the service has, but workers generate those of glyphs',
  );
  expect((await refusal({ method: 'GET', url: '/v1/datasets/mnist/images' })).detail).toContain(
    'only workers',
  );
  expect((await refusal({ method: 'GET', url: '/v1/datasets/none/images' })).detail).toContain(
    'none called none',
  );
});

test('a running sweep is to be cancelled before it is deleted', async () => {
  const { id } = (await api.app.inject({ method: 'POST', url: '/v1/sweeps', payload: oneTrial })).json();
  expect((await refusal({ method: 'DELETE', url: `/v1/sweeps/${id}` })).hint).toContain(
    `npx funnel cancel ${id}`,
  );
});

test('repeated ids count once in the message of a comparison', async () => {
  const detail = async (trials: string) =>
    (await refusal({ method: 'GET', url: `/v1/compare?trials=${trials}` })).detail;
  expect(await detail('A,A')).toMatch(/but got only 1 different$/);
  expect(await detail('A')).toMatch(/but got 1$/);
  expect(await detail('A,,B')).toMatch(/but got an empty one$/);
});

test('a leaderboard of a data set that nobody has is refused', async () => {
  expect(await refusal({ method: 'GET', url: '/v1/leaderboard?dataset=nosuch' })).toMatchObject({
    status: 404,
    detail: 'Expected a data set, but there is none called nosuch',
  });
  expect((await refusal({ method: 'GET', url: '/v1/leaderboard?dataset=mnits' })).detail).toBe(
    'Expected a data set, but there is none called mnits: did you mean "mnist"?',
  );
  expect((await api.app.inject('/v1/leaderboard?dataset=mnist')).statusCode).toBe(200);
});

test('a trial that is not there has the command that lists those of its sweep', async () => {
  expect(await refusal({ method: 'GET', url: '/v1/trials/0123456789abcdef-00077' })).toMatchObject({
    detail: 'Expected a trial, but there is none with id 0123456789abcdef-00077',
    hint: '`npx funnel trials 0123456789abcdef` lists the trials of the sweep.',
  });
});

test('a refusal shows bidirectional controls of the request as escapes', async () => {
  const { body } = await api.app.inject(`/v1/sweeps/${encodeURIComponent('a\u202eb')}`);
  expect(body).not.toContain('\u202e');
  expect(JSON.parse(body).detail).toContain('a\\u202eb');
  const query = await api.app.inject(`/v1/sweeps?limit=${encodeURIComponent('\u202e')}`);
  expect(query.body).not.toContain('\u202e');
});

test('an empty Idempotency-Key is refused', async () => {
  const headers = { 'idempotency-key': '' };
  expect(await refusal({ method: 'POST', url: '/v1/sweeps', payload: oneTrial, headers })).toMatchObject({
    code: 'INVALID_REQUEST',
    issues: [{ path: 'idempotency-key' }],
  });
});
