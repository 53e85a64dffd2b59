import { type Db, findToken, listTokens, revokeToken } from '@funnel/db';
import { openTestDb } from '@funnel/db/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashToken } from '../../src/access/authorize.ts';
import { keepEnvironmentTokens } from '../../src/access/environment-tokens.ts';

describe('tokens of the environment', () => {
  let db: Db;
  beforeAll(async () => {
    db = await openTestDb();
  });
  afterAll(() => db.close());
  const roleOf = async (secret: string) => (await findToken(db, hashToken(secret)))?.role ?? null;

  it('open from the first start on, also when two start at once', async () => {
    const tokens = { admin: 'a'.repeat(48), metrics: 'b'.repeat(48) };
    await Promise.all([keepEnvironmentTokens(db, tokens), keepEnvironmentTokens(db, tokens)]);
    await keepEnvironmentTokens(db, tokens);
    expect(await listTokens(db)).toHaveLength(2);
    expect(await roleOf(tokens.admin)).toBe('admin');
    expect(await roleOf(tokens.metrics)).toBe('read');
  });

  it('give way to a new secret of their kind', async () => {
    await keepEnvironmentTokens(db, { admin: 'c'.repeat(48) });
    expect(await roleOf('a'.repeat(48))).toBeNull();
    expect(await roleOf('c'.repeat(48))).toBe('admin');
    expect(await roleOf('b'.repeat(48))).toBe('read');
  });

  it('stay revoked when a person has revoked them', async () => {
    const [token] = (await listTokens(db)).filter(({ revokedAt, role }) => !revokedAt && role === 'admin');
    await revokeToken(db, token!.name);
    await keepEnvironmentTokens(db, { admin: 'c'.repeat(48) });
    expect(await roleOf('c'.repeat(48))).toBeNull();
  });
});
