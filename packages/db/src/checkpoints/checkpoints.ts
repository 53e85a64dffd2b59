/** Content-addressed bytes. A name is the sha-256 of what it names: PostgreSQL holds every row to that. */

import { createHash } from 'node:crypto';
import { AppError, type CheckpointManifest, canonicalJson, type Position } from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';

export const sha256 = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

/** Names without bytes in the database. */
export const missingBlobs = async (db: Db, hashes: readonly string[]): Promise<readonly string[]> =>
  namesWithoutBytes(reading(db), hashes);

const namesWithoutBytes = async (tx: Tx, hashes: readonly string[]): Promise<readonly string[]> => {
  const rows = await tx.query<{ sha256: string }>(
    'SELECT h.sha256 FROM unnest($1::text[]) AS h (sha256) WHERE NOT EXISTS (SELECT FROM blobs b WHERE b.sha256 = h.sha256)',
    [hashes],
  );
  return rows.map((row) => row.sha256);
};

/** Errors: NOT_FOUND names what is namesWithoutBytes. */
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
  for (const name of [...(await namesWithoutBytes(tx, [...new Set(needed)]))].sort()) {
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

/** Rows of checkpoints. A position of a chain is recorded once; whoever comes later with the same position changes nothing. */

export const checkpointHash = (manifest: CheckpointManifest): string => sha256(canonicalJson(manifest));

/** The number that stands for a chain in tables with many rows. */
export const chainNumber = async (tx: Tx, chain: string): Promise<number> => {
  const find = () => tx.query<{ id: number }>('SELECT id FROM chains WHERE hash = $1', [chain]);
  const [found] = await find();
  if (found) return found.id;
  await tx.query('INSERT INTO chains (hash) VALUES ($1) ON CONFLICT DO NOTHING', [chain]);
  const [made] = await find(); // ours, or that of the transaction that ours waited for
  return made!.id;
};

const blobsOf = ({ networks, moments }: CheckpointManifest): string[] => [
  ...new Set([...Object.values(networks).map((network) => network.blob), ...(moments ? [moments.blob] : [])]),
];

export type StoredCheckpoint = {
  /** Of what is stored now. */
  readonly hash: string;
  readonly inserted: boolean;
  /** Whether that is what came. */
  readonly matches: boolean;
};

export const insertCheckpoint = async (
  tx: Tx,
  chainId: number,
  manifest: CheckpointManifest,
  blobs: ReadonlyMap<string, Uint8Array>,
): Promise<StoredCheckpoint> => {
  const { epoch, step } = manifest.position;
  const key = [chainId, epoch, step] as const;
  const [there] = await tx.query<{ hash: string; continuable: boolean }>(
    'SELECT hash, continuable FROM checkpoints WHERE chain_id = $1 AND epoch = $2 AND step = $3',
    key,
  );
  const hash = checkpointHash(manifest);
  // The same state again, its moments dropped since: an attempt that had to begin further back needs them anew.
  const restore = there?.hash === hash && !there.continuable && manifest.moments !== null;
  if (there && !restore) return { hash: there.hash, inserted: false, matches: there.hash === hash };
  const needed = blobsOf(manifest);
  await putBlobs(tx, needed, blobs);
  await tx.query(
    `INSERT INTO checkpoints (chain_id, epoch, step, hash, manifest, continuable) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (chain_id, epoch, step) DO UPDATE SET continuable = excluded.continuable`,
    [...key, hash, JSON.stringify(manifest), manifest.moments !== null],
  );
  await tx.query(
    'INSERT INTO checkpoint_blobs (chain_id, epoch, step, sha256) SELECT $1, $2, $3, unnest($4::text[]) ON CONFLICT DO NOTHING',
    [...key, needed],
  );
  return { hash, inserted: !there, matches: true };
};

/**
 * What the new position makes superfluous: states in the middle of earlier epochs, and Adam's moments of every earlier state but those
 * at the end of some stage of the chain, which longer stages may go on from.
 */
export const dropSuperseded = async (tx: Tx, chainId: number, { epoch, step }: Position): Promise<void> => {
  const midway = await tx.query<{ sha256: string }>(
    `WITH old AS (
       SELECT chain_id, epoch, step FROM checkpoints WHERE chain_id = $1 AND step > 0 AND (epoch, step) < ($2, $3)
     ), released AS (
       DELETE FROM checkpoint_blobs b USING old
       WHERE b.chain_id = old.chain_id AND b.epoch = old.epoch AND b.step = old.step RETURNING b.sha256
     ), dropped AS (
       DELETE FROM checkpoints c USING old WHERE c.chain_id = old.chain_id AND c.epoch = old.epoch AND c.step = old.step
     )
     SELECT sha256 FROM released`,
    [chainId, epoch, step],
  );
  const moments = await tx.query<{ sha256: string }>(
    `WITH old AS (
       UPDATE checkpoints p SET continuable = false
       WHERE chain_id = $1 AND continuable AND (epoch, step) < ($2, $3)
         AND NOT EXISTS (SELECT FROM stages s JOIN chains c ON c.hash = s.chain WHERE c.id = $1 AND s.epochs = p.epoch)
       RETURNING chain_id, epoch, step, manifest #>> '{moments,blob}' AS blob
     )
     DELETE FROM checkpoint_blobs b USING old
     WHERE b.chain_id = old.chain_id AND b.epoch = old.epoch AND b.step = old.step AND b.sha256 = old.blob
     RETURNING b.sha256`,
    [chainId, epoch, step],
  );
  await dropUnused(
    tx,
    [...midway, ...moments].map((row) => row.sha256),
  );
};

/** What is stored of the state: `moments` is null where they have been dropped since. */
export const getCheckpoint = async (db: Db, hash: string): Promise<CheckpointManifest> => {
  const [row] = await reading(db).query<{ manifest: CheckpointManifest; continuable: boolean }>(
    'SELECT manifest, continuable FROM checkpoints WHERE hash = $1 ORDER BY continuable DESC LIMIT 1',
    [hash],
  );
  if (!row) throw new AppError('NOT_FOUND', `Expected a checkpoint, but there is none with hash ${hash}`);
  return row.continuable ? row.manifest : { ...row.manifest, moments: null };
};
