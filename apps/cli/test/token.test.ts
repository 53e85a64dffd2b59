import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, FunnelError } from '@funnel/client';
import { createTestDatabase, type TestDatabase } from '@funnel/db/testing';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { readEnv } from '../src/env.ts';
import { welcome } from '../src/up/quickstart.ts';
import { funnel } from './funnel.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.drop());

const token = (...args: string[]) => funnel(['token', ...args], { env: { DATABASE_URL: database.url } });

it('does not create a database if it only reads', async () => {
  const home = mkdtempSync(join(tmpdir(), 'funnel-token-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  for (const args of [['token', 'list'], ['token', 'revoke', 'ci'], ['migrate']]) {
    const { status, stderr } = await funnel(args, { env: { FUNNEL_HOME: home } });
    expect([status, stderr]).toEqual([1, expect.stringContaining(`There is no database in ${home}`)]);
  }
  expect(readdirSync(home)).toEqual([]);
});

it('creates a token, shows it once, lists it without its secret, and revokes it', async () => {
  const made = await token('create', 'ci', '--role', 'read');
  expect(made.status, made.stderr).toBe(0);
  const secret = made.stdout.trim();
  expect(secret).toMatch(/^funnel_[\w-]{43}$/);

  const listed = await token('list');
  expect(listed.stdout).toMatch(/ci\s+read/);
  expect(listed.stdout).not.toContain(secret.slice(7));
  expect((await token('create', 'ci')).status).toBe(1);

  await token('create', 'other');
  expect((await token('revoke', 'ci')).stderr).not.toContain('No valid token');
  const last = await token('revoke', 'other');
  expect([last.status, last.stderr]).toEqual([0, expect.stringContaining('No valid token is left')]);
  expect((await token('list')).stdout).toMatch(/revoked/);
  expect((await token('revoke', 'ci')).status).toBe(1);
});

it.each([
  ['none', {}, /^The API needs a token\. Set FUNNEL_TOKEN/],
  [
    'one that it does not know',
    { FUNNEL_TOKEN: 'of-another-service' },
    /Expected no token, because this service has none yet/,
  ],
])('`funnel up` says what to do when its own API refuses it with %s', async (_, variables, words) => {
  const notes: string[] = [];
  const detail = 'Expected no token, because this service has none yet, but got one';
  const problem = {
    type: 'about:blank',
    title: 'Unauthenticated',
    status: 401,
    code: 'UNAUTHENTICATED',
    detail,
  } as const;
  const client = {
    listSweeps: () => Promise.reject(new FunnelError({ ...problem, hint: 'Unset it.' }, { answered: true })),
  } as unknown as Client; // it calls nothing else
  const output = {
    ...{ json: false, note: (text: string) => void notes.push(text), write: () => {}, draw: () => {} },
    ...{ columns: () => null, resultColumns: () => null },
  };
  const { signal } = new AbortController();
  expect(await welcome({ client, env: readEnv(variables), output, once: false, signal })).toBe(true);
  expect(notes).toEqual([expect.stringMatching(words)]);
});
