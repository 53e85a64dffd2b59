import { createTestDatabase } from '@funnel/db/testing';
import { expect, it } from 'vitest';
import { examineDatabase, examineQueue } from '../src/doctor.ts';

it('names the PostgreSQL and its address, without the password', async () => {
  const { url, drop } = await createTestDatabase();
  const finding = await examineDatabase({ DATABASE_URL: url }).finally(drop);
  expect(finding).toMatchObject({
    verdict: 'ok',
    detail: expect.stringMatching(/^\d+\.\d+ at postgres:\/\//),
  });
  const { username, password, host } = new URL(url);
  expect(finding.detail).toContain(`${username}:***@${host}`);
  expect(password.length).toBeGreaterThan(10);
  expect(finding.detail).not.toContain(password);
});

const addresses = [
  'postgres://alice:hidden@127.0.0.1:1/funnel',
  'postgres://alice@127.0.0.1:1/funnel?password=hidden',
  'postgres://alice:hidden@/funnel?sslmode=verify-full&sslrootcert=/nowhere/ca.crt',
  'postgres://alice:hidden@127.0.0.1:port/funnel',
  'postgres://alice:hid/hidden@127.0.0.1/funnel',
  'hidden',
];

it.each(addresses)('reports a fault of %s, without its password', async (address) => {
  const finding = await examineDatabase({ DATABASE_URL: address });
  expect(finding).toMatchObject({ verdict: 'fault', hint: expect.stringContaining('DATABASE_URL') });
  expect(JSON.stringify(finding)).not.toContain('hidden');
});

it.each([
  'redis://alice:hidden@127.0.0.1:1',
  'rediss://:hidden@127.0.0.1:1',
  'rediss://:hidden@127.0.0.1:1?sslrootcert=/nowhere/ca.crt',
  'redis://alice:hidden@127.0.0.1:port',
  'http://alice:hidden@127.0.0.1',
])('reports a fault of the queue at %s, without its password', async (address) => {
  const finding = await examineQueue({ REDIS_URL: address });
  expect(finding).toMatchObject({ verdict: 'fault', hint: expect.stringContaining('REDIS_URL') });
  expect(JSON.stringify(finding)).not.toContain('hidden');
});
