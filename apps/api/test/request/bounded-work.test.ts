/** A refusal reads no more of a value than it shows. These tests count reads and do not measure time. */
import { AppError, type ProblemIssue, routes, SweepDefinition } from '@funnel/contracts';
import { describeValue, explainIssues } from '@funnel/contracts/explain-issues';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { parseJson } from '../../src/request/bodies.ts';
import { parsePart } from '../../src/request/parse-part.ts';
import { build, oneTrial, type TestApp } from '../build.ts';

const numbered = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`key${i}`, 1]));

/** A list that counts how many of its items are read. */
const counting = <T>(items: T[]): { readonly list: T[]; readonly reads: () => number } => {
  let reads = 0;
  const list = new Proxy(items, {
    get: (target, key, receiver) => {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads++;
      return Reflect.get(target, key, receiver);
    },
  });
  return { list, reads: () => reads };
};

const refusal = (input: unknown): { readonly message: string; readonly issues: readonly ProblemIssue[] } => {
  try {
    parsePart('body', SweepDefinition, input);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { message: error.message, issues: error.details.issues as ProblemIssue[] };
  }
  throw new Error('accepted');
};

describe('of many faults', () => {
  test('only the shown ones are explained, and the others are not read', () => {
    const { list, reads } = counting(Array.from({ length: 70_000 }, (_, i) => `key${i}`));
    const error = new z.ZodError([{ code: 'unrecognized_keys', keys: list, path: ['space'], message: '' }]);
    const { issues, faults } = explainIssues(error, SweepDefinition, { space: {} }, 'body');
    expect(issues.map(({ path }) => path)).toEqual(Array.from({ length: 50 }, (_, i) => `space.key${i}`));
    expect(faults).toBe(70_000);
    expect(reads()).toBeLessThanOrEqual(51);
  });

  test.each<[string, object, number, string]>([
    ['unknown keys', { space: numbered(70_000) }, 50, '(and 49 more listed, and 69,950 more that are not)'],
    [
      'in several places',
      { ...numbered(20), space: numbered(40) },
      50,
      '(and 49 more listed, and 10 more that are not)',
    ],
    [
      'wrong items',
      { seeds: Array.from({ length: 9000 }, () => -1) },
      50,
      '(and 49 more listed, and 8,950 more that are not)',
    ],
    ['as many as are shown', { space: numbered(50) }, 50, '(and 49 more)'],
    ['two', { space: numbered(2) }, 2, '(and 1 more)'],
  ])('the others are counted: %s', (_, change, shown, words) => {
    const { message, issues } = refusal({ ...oneTrial, ...change });
    expect(issues).toHaveLength(shown);
    expect(message).toContain(words);
  });
});

test('a body without a key twice is read without a set of its keys', () => {
  const add = vi.spyOn(Set.prototype, 'add');
  onTestFinished(() => add.mockRestore());
  const value = { space: numbered(5000), list: [{ a: '"b":1', 'c"': ':' }, { a: {} }] };
  expect(parseJson(JSON.stringify(value, null, 1))).toEqual(value);
  expect(add.mock.calls.length).toBeLessThan(100);
});

describe('a received value', () => {
  test('is written as JSON, and not read beyond the shown part', () => {
    const { list, reads } = counting(Array.from({ length: 100_000 }, (_, i) => i));
    expect(describeValue(list)).toBe(
      `${JSON.stringify(Array.from({ length: 100 }, (_, i) => i)).slice(0, 100)}…`,
    );
    expect(reads()).toBeLessThan(101);
  });

  test.each<[unknown]>([
    [{ a: [1, null, true, 'x"\n'], b: { c: undefined, d: {} }, 2: [] }],
    [[undefined, Number.NaN, [[]]]],
    ['x'.repeat(98)],
    ['😀'.repeat(60)],
    [Array.from({ length: 60 }, () => '\u0001"')],
    [{ ['k'.repeat(200)]: 1 }],
    [[{ a: 'y'.repeat(300) }]],
  ])('reads like JSON.stringify, cut at 100 characters: %j', (value) => {
    const json = JSON.stringify(value);
    expect(describeValue(value)).toBe(json.length > 100 ? `${json.slice(0, 100)}…` : json);
  });
});

describe('a list', () => {
  test.each([
    ['recipes', { recipes: Array.from({ length: 10_001 }, () => 'funn') }, 'at most 10000 values'],
    ['attacks', { attacks: Array.from({ length: 1001 }, () => 'fgsm') }, 'at most 1000 values'],
    ['seeds', { seeds: Array.from({ length: 10_001 }, (_, i) => i) }, 'at most 10000 values'],
    [
      'space.gamma',
      { space: { gamma: Array.from({ length: 10_001 }, (_, i) => i) } },
      'at most 10000 values',
    ],
  ])('has a bound: %s', (path, change, expected) => {
    const { issues } = refusal({ ...oneTrial, ...change });
    expect(issues).toEqual([{ path, expected, received: expect.any(String) }]);
  });
});

/** Schemas of requests that hold lists or texts of any length, by their paths. */
const unbounded = (schema: unknown, path: string): readonly string[] => {
  if (Array.isArray(schema)) return schema.flatMap((item, i) => unbounded(item, `${path}/${i}`));
  if (typeof schema !== 'object' || schema === null) return [];
  const {
    type,
    maxItems,
    maxLength,
    pattern,
    enum: words,
    const: word,
    format,
  } = schema as Record<string, unknown>;
  const open =
    (type === 'array' && maxItems === undefined) ||
    (type === 'string' && [maxLength, pattern, words, word, format].every((bound) => bound === undefined));
  const below = Object.entries(schema).flatMap(([key, member]) => unbounded(member, `${path}/${key}`));
  return open ? [path, ...below] : below;
};

test('every list and every text of every request has a bound', () => {
  const found = Object.entries(routes).flatMap(([name, route]) =>
    (['params', 'query', 'headers', 'body'] as const).flatMap((part) => {
      const schema: z.ZodType | undefined = part in route ? (route as never)[part] : undefined;
      if (!schema) return [];
      return unbounded(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), `${name}/${part}`);
    }),
  );
  expect(found).toEqual([]);
});

describe('over HTTP', () => {
  const lines: string[] = [];
  let api: TestApp;
  beforeAll(async () => {
    const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
    api = await build({ logger, limits: { planSeconds: 100 } });
  });
  afterAll(() => api.close());

  const long = 'k'.repeat(900_000);
  test.each<[string, string]>([
    ['an unknown key', JSON.stringify({ ...oneTrial, [long]: 1 })],
    ['an unknown hyperparameter', JSON.stringify({ ...oneTrial, space: { [long]: 1 } })],
    ['an unknown attack', JSON.stringify({ ...oneTrial, attacks: [long] })],
    ['a key twice', `{"${long.slice(0, 450_000)}":1,"${long.slice(0, 450_000)}":1}`],
    ['a name', JSON.stringify({ ...oneTrial, name: long })],
  ])('%s of 900 kB is cut in the answer and in the log', async (_, payload) => {
    lines.length = 0;
    const headers = { 'content-type': 'application/json' };
    const response = await api.app.inject({ method: 'POST', url: '/v1/sweeps/plan', headers, payload });
    expect(response.statusCode).toBe(400);
    expect(response.body).toContain('k'.repeat(90));
    expect(response.body.length).toBeLessThan(4000);
    expect(lines.length).toBeGreaterThan(0);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(4000);
  });

  test('a long tag in YAML is cut too', async () => {
    const headers = { 'content-type': 'application/yaml' };
    const payload = `a: !${'k'.repeat(60_000)} 1`;
    const response = await api.app.inject({ method: 'POST', url: '/v1/sweeps/plan', headers, payload });
    expect(response.json()).toMatchObject({ code: 'MALFORMED_BODY' });
    expect(response.body.length).toBeLessThan(2000);
  });
});
