import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase, type TestDatabase } from '@funnel/db/testing';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
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
