/** Access tokens. Only the sha-256 of a secret is stored: reading the database gives nobody access. */

import { randomUUID } from 'node:crypto';
import { AppError, type AuditEntry, type Role } from '@funnel/contracts';
import { databaseError, errorCode } from './connection/database-errors.ts';
import type { Db } from './connection/db.ts';
import { reading } from './connection/transaction.ts';
import { isNumber, pageOf, readCursor } from './reads/pages.ts';
import type { Page } from './types.ts';

export type TokenInfo = {
  readonly name: string;
  readonly role: Role;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
};

const unique = 'P2002';

/** Names are never used again, so that the audit log stays true. Errors: INVALID_TRANSITION when the name is taken. */
export const saveToken = async (
  db: Db,
  { name, role, hash }: { name: string; role: Role; hash: string },
): Promise<void> => {
  try {
    await db.prisma.token.create({ data: { id: randomUUID(), name, role, hash } });
  } catch (error) {
    if (errorCode(error) === unique)
      throw new AppError(
        'INVALID_TRANSITION',
        `Expected a new name, but there is a token called ${name} already`,
      );
    throw databaseError(error);
  }
};

/** Whose token this is; null when there is none, or it has been revoked. Its use is noted, at most once a minute. */
export const findToken = async (
  db: Db,
  hash: string,
): Promise<{ readonly name: string; readonly role: Role } | null> => {
  const [row] = await reading(db).query<{ name: string; role: Role }>(
    `WITH used AS (
       UPDATE tokens SET last_used_at = now() WHERE hash = $1 AND revoked_at IS NULL
         AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
     )
     SELECT name, role FROM tokens WHERE hash = $1 AND revoked_at IS NULL`,
    [hash],
  );
  return row ?? null;
};

/** Whether any token is valid. */
export const anyToken = async (db: Db): Promise<boolean> => {
  const rows = await reading(db).query('SELECT FROM tokens WHERE revoked_at IS NULL LIMIT 1');
  return rows.length > 0;
};

/** By name, revoked ones too. */
export const listTokens = async (db: Db): Promise<readonly TokenInfo[]> => {
  const tokens = await db.prisma.token.findMany({ orderBy: { name: 'asc' } }).catch((error: unknown) => {
    throw databaseError(error);
  });
  return tokens.map(({ name, role, createdAt, lastUsedAt, revokedAt }) => ({
    name,
    role: role as Role, // as `saveToken` wrote it
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    revokedAt: revokedAt?.toISOString() ?? null,
  }));
};

/** From now on it opens nothing. Errors: NOT_FOUND when there is no valid token of that name. */
export const revokeToken = async (db: Db, name: string): Promise<void> => {
  const rows = await reading(db).query(
    'UPDATE tokens SET revoked_at = now() WHERE name = $1 AND revoked_at IS NULL RETURNING name',
    [name],
  );
  if (rows.length === 0)
    throw new AppError('NOT_FOUND', `Expected a valid token called ${name}, but there is none`);
};

/** Who changed what, and from where. Only ever added to. */

export type Change = Readonly<Omit<AuditEntry, 'id' | 'at'>>;

export const writeAudit = async (
  db: Db,
  { actor, action, subject, address, details }: Change,
): Promise<void> => {
  await reading(db).query(
    'INSERT INTO audit_log (actor, action, subject, address, details) VALUES ($1, $2, $3, $4, $5)',
    [actor, action, subject, address, JSON.stringify(details)],
  );
};

/** Newest first. */
export const listAudit = async (
  db: Db,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
): Promise<Page<AuditEntry>> => {
  const before = cursor ? readCursor(cursor, isNumber) : null;
  const rows = await reading(db).query<Change & { id: number; at: Date }>(
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
