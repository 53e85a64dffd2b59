/**
 * Tokens, which give access to the API, and the audit log of all changes. The database stores only the sha-256 of a token's secret, so
 * nobody gets access by reading it. The audit log only grows; the transaction of a change writes its entry (`Writing.audit`).
 */
import { randomUUID } from 'node:crypto';
import { AppError, type AuditEntry, type Role } from '@funnel/contracts';
import { int8, jsonb, listOf, orNull, text, timestamptz } from './connection/columns.ts';
import type { Author, Db } from './connection/db.ts';
import { reading, type Tx, transaction } from './connection/transaction.ts';
import { isNumber, pageOf, readCursor } from './reads/pages.ts';
import type { Page } from './types.ts';

export type TokenInfo = {
  readonly name: string;
  readonly role: Role;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
};

/** The author of tokens that an API process takes from its environment. Only it makes names that begin with `environment-`. */
export const environmentAuthor: Author = { actor: 'environment', address: null };

/** The actors of the audit log that are no tokens: callers without a token, commands, and the environment with the tokens in it. */
const reserved = /^(local|cli|environment(-.*)?)$/;

/** Why no second token can have this name or secret. */
const conflictOf = async (tx: Tx, name: string, hash: string): Promise<string> => {
  const [same] = await tx.query({ name: text() }, 'SELECT name FROM tokens WHERE hash = $1', [hash]);
  return same && same.name !== name
    ? `Expected a new secret, but the token called ${same.name} has the same`
    : `Expected a new name, but there is a token called ${name} already`;
};

const takenHint =
  'Take another name: `npx funnel token list` shows those that are taken, also by revoked tokens.';

/**
 * Refuses a name that was used before, even by a revoked token, and the names of other actors, so that a name in the audit log means one
 * token. Also refuses a secret that another token has. Errors: INVALID_TRANSITION.
 */
export const saveToken = async (
  db: Db,
  { name, role, hash }: { name: string; role: Role; hash: string },
): Promise<void> => {
  if (reserved.test(name) && db.author !== environmentAuthor)
    throw new AppError(
      'INVALID_TRANSITION',
      `Expected a name that is free, but the audit log means something else by ${name}`,
      { hint: takenHint },
    );
  await transaction(db, async (tx) => {
    const inserted = await tx.query(
      { id: text() },
      'INSERT INTO tokens (id, name, role, hash) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING id',
      [randomUUID(), name, role, hash],
    );
    if (inserted.length === 0)
      throw new AppError('INVALID_TRANSITION', await conflictOf(tx, name, hash), { hint: takenHint });
    await tx.audit({ action: 'createToken', subject: name, details: { role } });
  });
};

/** The valid token with this hash; null when there is none. Records that it was used, at most once a minute. */
export const findToken = async (
  db: Db,
  hash: string,
): Promise<{ readonly name: string; readonly role: Role } | null> => {
  const [row] = await reading(db).query(
    { name: text(), role: text<Role>() },
    `WITH used AS (
       UPDATE tokens SET last_used_at = now() WHERE hash = $1 AND revoked_at IS NULL
         AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
     )
     SELECT name, role FROM tokens WHERE hash = $1 AND revoked_at IS NULL`,
    [hash],
  );
  return row ?? null;
};

/** Whether a token was ever made, even if it is revoked. */
export const anyToken = async (db: Db): Promise<boolean> => {
  const rows = await reading(db).query({}, 'SELECT FROM tokens LIMIT 1');
  return rows.length > 0;
};

const tokenColumns = {
  name: text(),
  role: text<Role>(),
  created_at: timestamptz(),
  last_used_at: orNull(timestamptz()),
  revoked_at: orNull(timestamptz()),
};

/** All tokens by name, revoked ones too. */
export const listTokens = async (db: Db): Promise<readonly TokenInfo[]> => {
  const tokens = await reading(db).query(
    tokenColumns,
    `SELECT ${listOf(tokenColumns, 't')} FROM tokens t ORDER BY t.name`,
  );
  return tokens.map(({ name, role, created_at, last_used_at, revoked_at }) => ({
    name,
    role,
    createdAt: created_at.toISOString(),
    lastUsedAt: last_used_at?.toISOString() ?? null,
    revokedAt: revoked_at?.toISOString() ?? null,
  }));
};

/** The token gives no access from now on. Errors: NOT_FOUND when there is no valid token of that name. */
export const revokeToken = async (db: Db, name: string): Promise<void> => {
  await transaction(db, async (tx) => {
    const rows = await tx.query(
      { name: text() },
      'UPDATE tokens SET revoked_at = now() WHERE name = $1 AND revoked_at IS NULL RETURNING name',
      [name],
    );
    if (rows.length === 0)
      throw new AppError('NOT_FOUND', `Expected a valid token called ${name}, but there is none`, {
        hint: '`npx funnel token list` lists all tokens.',
      });
    await tx.audit({ action: 'revokeToken', subject: name });
  });
};

const auditColumns = {
  id: int8(),
  at: timestamptz(),
  actor: text(),
  action: text(),
  subject: orNull(text()),
  address: orNull(text()),
  details: jsonb<AuditEntry['details']>(),
};

/** Newest first. */
export const listAudit = async (
  db: Db,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
): Promise<Page<AuditEntry>> => {
  const before = cursor ? readCursor(cursor, isNumber) : null;
  const rows = await reading(db).query(
    auditColumns,
    'SELECT id, at, actor, action, subject, address, details FROM audit_log WHERE $1::bigint IS NULL OR id < $1 ORDER BY id DESC LIMIT $2',
    [before, limit + 1],
  );
  return pageOf(
    rows,
    limit,
    (row) => ({ ...row, at: row.at.toISOString() }),
    (last) => last.id,
  );
};
