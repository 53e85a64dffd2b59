import { afterAll, beforeAll, expect, test } from 'vitest';
import { transaction } from '../src/connection/transaction.ts';
import {
  actingAs,
  anyToken,
  type Db,
  findToken,
  listAudit,
  listTokens,
  revokeToken,
  saveToken,
} from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());

test('tokens can be saved, found by their hash, listed and revoked', async () => {
  expect(await anyToken(db)).toBe(false);
  await saveToken(db, { name: 'ci', role: 'submit', hash: 'a'.repeat(64) });
  expect(await anyToken(db)).toBe(true);
  await expect(saveToken(db, { name: 'ci', role: 'read', hash: 'b'.repeat(64) })).rejects.toMatchObject({
    code: 'INVALID_TRANSITION',
    details: {
      hint: 'Take another name: `npx funnel token list` shows those that are taken, also by revoked tokens.',
    },
  });
  expect(await findToken(db, 'a'.repeat(64))).toEqual({ name: 'ci', role: 'submit' });
  expect(await findToken(db, 'b'.repeat(64))).toBeNull();
  expect(await listTokens(db)).toMatchObject([
    { name: 'ci', role: 'submit', lastUsedAt: expect.any(String), revokedAt: null },
  ]);
  expect(JSON.stringify(await listTokens(db))).not.toContain('aaaa');
  await revokeToken(db, 'ci');
  await expect(revokeToken(db, 'ci')).rejects.toMatchObject({
    code: 'NOT_FOUND',
    details: { hint: '`npx funnel token list` lists all tokens.' },
  });
  expect(await findToken(db, 'a'.repeat(64))).toBeNull();
  expect(await anyToken(db)).toBe(true);
  expect(await listTokens(db)).toMatchObject([{ name: 'ci', revokedAt: expect.any(String) }]);
});

test('the audit log has pages, newest entries first', async () => {
  const sweep = 'sweep';
  for (const action of ['createSweep', 'cancelSweep', 'deleteSweep']) {
    const local = actingAs(db, { actor: 'local', address: '127.0.0.1', details: { requestId: action } });
    await transaction(local, (tx) => tx.audit({ action, subject: sweep }));
  }
  const page = await listAudit(db, { limit: 2 });
  expect(page.items.map((entry) => entry.action)).toEqual(['deleteSweep', 'cancelSweep']);
  const last = await listAudit(db, { limit: 2, cursor: page.next! });
  expect(last).toMatchObject({
    items: [{ action: 'createSweep', details: { requestId: 'createSweep' } }],
    next: null,
  });
});
