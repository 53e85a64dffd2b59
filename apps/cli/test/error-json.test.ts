/** With `--json` an error is one JSON object on one line of stderr, with the exit status of the words. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StartedApi, startApi } from '@funnel/api';
import { createTestDatabase, type TestDatabase } from '@funnel/db/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorJson, wantsJson } from '../src/error-json.ts';
import { funnel } from './funnel.ts';

const home = mkdtempSync(join(tmpdir(), 'funnel-error-json-'));
const file = join(home, 'sweep.yaml');
afterAll(() => rmSync(home, { recursive: true }));

const refused = async (url: string, ...args: string[]) => {
  const ran = await funnel([...args, '--json'], { env: { FUNNEL_URL: url, FUNNEL_HOME: home } });
  expect(ran.stdout).toBe('');
  expect(ran.stderr).toMatch(/^[^\n]+\n$/);
  return { status: ran.status, ...JSON.parse(ran.stderr) };
};

describe('without a service', () => {
  const ask = (...args: string[]) => refused('http://127.0.0.1:9', ...args);

  it('no answer', async () => {
    const { status, error } = await ask('ls');
    expect(status).toBe(4);
    expect(error.message).toContain('Expected an answer from http://127.0.0.1:9, but got none');
    expect([error.issues, error.hint]).toEqual([
      [],
      'Start Funnel with `npm start`, or give its address with --url or FUNNEL_URL.',
    ]);
  });

  it('a wrong command line', async () => {
    expect(await ask('ls', '--serch', 'x')).toEqual({
      status: 2,
      error: {
        message: "unknown option '--serch'",
        issues: [],
        hint: 'did you mean "--search"? `npx funnel ls --help` lists its options',
      },
    });
    expect(await ask('shwo')).toMatchObject({ status: 2, error: { message: "unknown command 'shwo'" } });
    expect(await ask('show')).toMatchObject({ error: { message: "missing required argument 'id'" } });
    expect(await ask('data', 'get', '--x')).toMatchObject({
      error: { hint: expect.stringContaining('`npx funnel data get --help` lists its options') },
    });
    expect(await ask('best', '--metric', 'robustness')).toMatchObject({
      status: 2,
      error: { hint: expect.stringContaining('did you mean "robustAccuracy"?') },
    });
    expect(await ask()).toEqual({
      status: 2,
      error: {
        message: 'Expected a command, but got none',
        issues: [],
        hint: '`npx funnel --help` lists the commands.',
      },
    });
  });

  it('a file that cannot be read', async () => {
    const absent = join(home, 'absent.yaml');
    expect(await ask('plan', absent)).toEqual({
      status: 2,
      error: { message: `${absent} cannot be read: there is none at this path`, issues: [], hint: null },
    });
  });

  it('leaves help and results alone', async () => {
    const surroundings = { env: { FUNNEL_HOME: home } };
    const help = await funnel(['ls', '--help', '--json'], surroundings);
    expect([help.status, help.stderr, help.stdout.split('\n')[0]]).toEqual([
      0,
      '',
      'Usage: funnel ls [options]',
    ]);
    const words = await funnel(['ls', '--serch'], surroundings);
    expect(words.stderr).toMatch(/^error: unknown option '--serch'\n→ did you mean/);
  });
});

describe('with a service', () => {
  let database: TestDatabase;
  let api: StartedApi;
  beforeAll(async () => {
    database = await createTestDatabase();
    const logger = pino({ level: 'silent' });
    api = await startApi({ databaseUrl: database.url, port: 0, engineVersion: 'stand-in', logger });
  });
  afterAll(async () => {
    await api?.close();
    await database?.drop();
  });

  it('an unknown sweep', async () => {
    expect(await refused(api.url, 'show', 'nowhere')).toEqual({
      status: 3,
      error: {
        message: 'There is no sweep with the id or the name nowhere.',
        issues: [],
        hint: '`npx funnel ls` lists sweeps.',
      },
    });
    expect(await refused(api.url, 'cancel', '0'.repeat(16))).toMatchObject({
      status: 3,
      error: { hint: expect.stringContaining('npx funnel ls') },
    });
  });

  it('the mistakes of a sweep file, with their lines and options', async () => {
    writeFileSync(file, 'name: x\ndataset: { name: glyphs }\nspace:\n  gamma: few\n');
    expect(await refused(api.url, 'plan', file, '--set', 'seeds=0')).toEqual({
      status: 3,
      error: {
        message: `${file} with --set has 2 mistakes`,
        issues: [
          { path: 'space.gamma', line: 4, expected: expect.any(String), received: '"few"' },
          { path: 'seeds', option: '--set seeds', expected: expect.any(String), received: '0' },
        ],
        hint: 'Correct the file or --set and try again.',
      },
    });
  });

  it('a text that is no tag', async () => {
    const { status, error } = await refused(api.url, 'tag', 'latest', 'two\nlines');
    expect(status).toBe(2);
    expect(error.message).toContain('tag');
  });
});

it('takes the words apart', () => {
  const issue = { path: 'a', expected: '1', received: '2' };
  expect(
    JSON.parse(errorJson({ text: 'Refused:\n  a: expected 1\n→ Do this.\n→ Or that.', issues: [issue] })),
  ).toEqual({
    error: { message: 'Refused', issues: [issue], hint: 'Do this. Or that.' },
  });
  expect(errorJson({ text: 'a\u001b[1m' })).toBe(
    '{"error":{"message":"a\\u001b[1m","issues":[],"hint":null}}',
  );
  expect([wantsJson(['ls', '--json']), wantsJson(['note', 'x', '--', '--json'])]).toEqual([true, false]);
});
