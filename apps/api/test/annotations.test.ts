/** Notes and tags of sweeps over HTTP. */
import type { SweepDetail } from '@funnel/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { build, fingerprint, oneTrial, type TestApp } from './build.ts';

let api: TestApp;
let id: string;
const submit = async (query: string, headers = {}) =>
  api.app.inject({ method: 'POST', url: `/v1/sweeps${query}`, headers, payload: oneTrial });
beforeAll(async () => {
  api = await build();
  id = (await submit('?tag=Baseline&tag=paper%2Fv2')).json().id;
});
afterAll(() => api.close());

const annotate = (payload: unknown, sweep = id) =>
  api.app.inject({
    ...{ method: 'PATCH', url: `/v1/sweeps/${sweep}`, headers: { 'content-type': 'application/json' } },
    payload: JSON.stringify(payload),
  });
const read = async (): Promise<SweepDetail> => (await api.app.inject(`/v1/sweeps/${id}`)).json();
const idsOf = async (query: string): Promise<readonly string[]> =>
  (await api.app.inject(`/v1/sweeps${query}`)).json().items.map((sweep: { id: string }) => sweep.id);

test('a submission gives the new sweep its tags', async () => {
  expect(await read()).toMatchObject({ tags: ['baseline', 'paper/v2'], notes: '' });
  expect((await read()).definition).not.toHaveProperty('tags');
});

test('a repeated submission changes no tag', async () => {
  const headers = { 'idempotency-key': 'once' };
  const first = await submit('?tag=first', headers);
  const again = await submit('?tag=second', headers);
  expect([first.statusCode, again.statusCode]).toEqual([201, 200]);
  expect(again.json()).toMatchObject({ id: first.json().id, tags: ['first'] });
});

test('PATCH replaces what it is given, and answers with the sweep', async () => {
  const answer = await annotate({ notes: 'γ = 5 wins.\n<b>Not HTML</b>' });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual(await read());
  expect(await read()).toMatchObject({
    notes: 'γ = 5 wins.\n<b>Not HTML</b>',
    tags: ['baseline', 'paper/v2'],
  });
  await annotate({ tags: ['Paper/V2', 'paper/v2', 'new'] });
  expect((await read()).tags).toEqual(['paper/v2', 'new']);
});

test('the list shows tags, and filters by all of the given ones', async () => {
  await annotate({ tags: ['x', 'y'] });
  const other: string = (await submit('?tag=x')).json().id;
  expect(await idsOf('?tag=x')).toEqual([other, id]);
  expect(await idsOf('?tag=x&tag=Y')).toEqual([id]);
  const { items } = (await api.app.inject('/v1/sweeps?tag=y')).json();
  expect(items).toMatchObject([{ id, tags: ['x', 'y'] }]);
  expect(items[0]).not.toHaveProperty('notes');
});

test('actions on a sweep answer without its notes, like the list', async () => {
  const paused = await api.app.inject({ method: 'POST', url: `/v1/sweeps/${id}/pause` });
  expect(paused.json()).toMatchObject({ id, tags: ['x', 'y'] });
  expect(paused.json()).not.toHaveProperty('notes');
});

describe('a refusal says what was expected, and changes nothing', () => {
  const shape =
    '1 to 40 of the characters a–z, 0–9, “.”, “_”, “-”, “:” and “/”, the first a letter or a digit';
  const cases: Record<string, { body: unknown; path: string; expected: string; received?: string }> = {
    'an empty body': {
      body: {},
      path: 'body',
      expected: '`notes`, `tags`, `addTags` or `removeTags`',
      received: 'none of them',
    },
    'too many tags': {
      body: { tags: Array.from({ length: 21 }, (_, i) => `t${i}`) },
      path: 'tags',
      expected: 'at most 20 values',
    },
    'a long tag': {
      body: { notes: 'kept out', tags: ['a', 'x'.repeat(41)] },
      path: 'tags[1]',
      expected: shape,
    },
    'a tag with a space': {
      body: { tags: ['two words'] },
      path: 'tags[0]',
      expected: shape,
      received: '"two words"',
    },
    'a number as a tag': { body: { tags: [5] }, path: 'tags[0]', expected: 'a text', received: '5' },
    'long notes': {
      body: { notes: 'x'.repeat(10_001) },
      path: 'notes',
      expected: 'at most 10000 characters',
    },
    'a control character': {
      body: { notes: 'a\u001b[2J' },
      ...{ path: 'notes', expected: 'a text without control characters', received: '\\x1b' },
    },
    'another field': {
      body: { name: 'new' },
      path: 'name',
      expected: 'one of notes, tags, addTags, removeTags',
      received: 'the key "name"',
    },
    'a list': { body: ['a'], path: 'body', expected: 'an object' },
  };
  test.each(Object.entries(cases))('%s', async (_, { body, path, expected, received }) => {
    const before = await fingerprint(api.db);
    const answer = await annotate(body);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().issues).toContainEqual({
      ...{ path, expected: expect.stringContaining(expected) },
      received: received ?? expect.any(String),
    });
    expect(await fingerprint(api.db)).toBe(before);
  });

  test('an unknown sweep', async () => {
    const before = await fingerprint(api.db);
    const answer = await annotate({ tags: ['a'] }, 'nobody');
    expect([answer.statusCode, answer.json().code]).toEqual([404, 'NOT_FOUND']);
    expect(await fingerprint(api.db)).toBe(before);
  });

  test('a wrong tag in a query', async () => {
    const before = await fingerprint(api.db);
    for (const answer of [await submit('?tag=two%20words'), await api.app.inject('/v1/sweeps?tag=-')])
      expect(answer.json()).toMatchObject({
        code: 'INVALID_REQUEST',
        issues: [{ path: expect.stringMatching(/^tag/) }],
      });
    expect((await submit('?tags=a')).json()).toMatchObject({ code: 'INVALID_REQUEST' });
    expect(await fingerprint(api.db)).toBe(before);
  });
});
