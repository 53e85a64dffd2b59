/** Content-addressed bytes. A name is the sha-256 of what it names: PostgreSQL holds every row to that. */
import { createHash } from 'node:crypto';
import { AppError } from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';

export const sha256 = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

/** Names without bytes in the database. */
export const missingBlobs = async (db: Db, hashes: readonly string[]): Promise<readonly string[]> =>
  missing(reading(db), hashes);

const missing = async (tx: Tx, hashes: readonly string[]): Promise<readonly string[]> => {
  const rows = await tx.query<{ sha256: string }>(
    'SELECT h.sha256 FROM unnest($1::text[]) AS h (sha256) WHERE NOT EXISTS (SELECT FROM blobs b WHERE b.sha256 = h.sha256)',
    [hashes],
  );
  return rows.map((row) => row.sha256);
};

/** Errors: NOT_FOUND names what is missing. */
export const getBlobs = async (
  db: Db,
  hashes: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array>> => {
  const rows = await reading(db).query<{ sha256: string; bytes: Buffer }>(
    'SELECT sha256, bytes FROM blobs WHERE sha256 = ANY($1)',
    [hashes],
  );
  const found = new Map(rows.map((row) => [row.sha256, new Uint8Array(row.bytes)])); // a copy: aligned, and no Buffer across processes
  const lacking = hashes.filter((hash) => !found.has(hash));
  if (lacking.length > 0)
    throw new AppError('NOT_FOUND', `Expected the blobs ${lacking.join(', ')}, but they are not stored`, {
      blobs: lacking,
    });
  return found;
};

/**
 * Stores those of `needed` that are not there yet, in the order of their names, so that two writers of the same blobs do not wait for
 * each other in a circle. Errors: INVALID_REQUEST when one is neither stored nor given, or is not what its name says.
 */
export const putBlobs = async (
  tx: Tx,
  needed: readonly string[],
  given: ReadonlyMap<string, Uint8Array>,
): Promise<void> => {
  for (const name of [...(await missing(tx, [...new Set(needed)]))].sort()) {
    const bytes = given.get(name);
    if (!bytes)
      throw new AppError(
        'INVALID_REQUEST',
        `Expected the bytes of blob ${name}, which is not stored, but they were not given`,
        { blob: name },
      );
    const actual = sha256(bytes);
    if (actual !== name)
      throw new AppError('INVALID_REQUEST', `Expected bytes with sha-256 ${name}, but theirs is ${actual}`, {
        blob: name,
      });
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    await tx.query('INSERT INTO blobs (sha256, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
      name,
      buffer,
    ]);
  }
};

/**
 * Deletes those that nothing refers to. A blob that another transaction is just referring to is locked by that one's foreign key, and
 * skipped.
 */
export const dropUnused = async (tx: Tx, names: readonly string[]): Promise<void> => {
  if (names.length === 0) return;
  await tx.query(
    `DELETE FROM blobs WHERE sha256 IN (
       SELECT b.sha256 FROM blobs b
       WHERE b.sha256 = ANY($1) AND NOT EXISTS (SELECT FROM checkpoint_blobs r WHERE r.sha256 = b.sha256)
       ORDER BY b.sha256 FOR UPDATE SKIP LOCKED)`,
    [names],
  );
};
