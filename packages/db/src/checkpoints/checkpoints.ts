/**
 * Checkpoints and their bytes. A checkpoint is a manifest; the bytes that it names are blobs. A blob's name is the sha-256 of its bytes;
 * PostgreSQL checks the name of every row. The first write for a position of a chain stays: a later write for the same position changes
 * nothing.
 */
import { createHash } from 'node:crypto';
import { AppError, type CheckpointManifest, canonicalJson, type Position } from '@funnel/contracts';
import { bool, bytea, int4, int8, jsonb, type RowOf, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';
import type { CheckpointWrite } from '../types.ts';
import { type ByteChange, blobColumns, blobList, byteChanges } from './stored-bytes.ts';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

export const checkpointHash = (manifest: CheckpointManifest): string => sha256(canonicalJson(manifest));

const findMissing = async (tx: Tx, hashes: readonly string[]): Promise<readonly string[]> => {
  const rows = await tx.query(
    { sha256: text() },
    'SELECT h.sha256 FROM unnest($1::text[]) AS h (sha256) WHERE NOT EXISTS (SELECT FROM blobs b WHERE b.sha256 = h.sha256)',
    [hashes],
  );
  return rows.map((row) => row.sha256);
};

/** The names among `hashes` whose bytes are not stored. */
export const missingBlobs = (db: Db, hashes: readonly string[]): Promise<readonly string[]> =>
  findMissing(reading(db), hashes);

/** Errors: NOT_FOUND names the blobs that are not stored. */
export const getBlobs = async (
  db: Db,
  hashes: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array>> => {
  const rows = await reading(db).query(
    { sha256: text(), bytes: bytea() },
    'SELECT sha256, bytes FROM blobs WHERE sha256 = ANY($1)',
    [hashes],
  );
  // Copies the bytes: the copy is aligned, and a Buffer does not survive a message to another process.
  const found = new Map(rows.map((row) => [row.sha256, new Uint8Array(row.bytes)]));
  const missing = hashes.filter((hash) => !found.has(hash));
  if (missing.length > 0)
    throw new AppError('NOT_FOUND', `Expected the blobs ${missing.join(', ')}, but they are not stored`, {
      blobs: missing,
    });
  return found;
};

/** Bytes of one part of a blob. */
const partBytes = 2 ** 20;

const partColumns = { size: int8(), part: bytea() };
const selectPart =
  'SELECT octet_length(bytes)::bigint AS size, substr(bytes, $2::int + 1, $3::int) AS part FROM blobs WHERE sha256 = $1';

/**
 * The size of a blob, and its bytes part by part: the reader needs memory for one part only. Errors: NOT_FOUND, also while the parts are read,
 * when the blob is deleted meanwhile.
 */
export const readBlob = async (
  db: Db,
  hash: string,
): Promise<{ readonly size: number; readonly parts: AsyncGenerator<Uint8Array> }> => {
  const read = async (from: number): Promise<RowOf<typeof partColumns>> => {
    const [row] = await reading(db).query(partColumns, selectPart, [hash, from, partBytes]);
    if (!row) throw new AppError('NOT_FOUND', `Expected the blob ${hash}, but it is not stored`);
    return row;
  };
  const first = await read(0);
  const parts = async function* (): AsyncGenerator<Uint8Array> {
    yield first.part;
    for (let from = partBytes; from < first.size; from += partBytes) yield (await read(from)).part;
  };
  return { size: first.size, parts: parts() };
};

/**
 * Stores the blobs of `needed` that are not stored yet, from the bytes `given`; they count for the client of the sweep `plannedBy`. Writes them in the order of their names, so that two
 * writers of the same blobs cannot deadlock. Errors: INVALID_REQUEST when the bytes of a blob are neither stored nor given, or when their
 * hash differs from the name.
 */
const putBlobs = async (
  tx: Tx,
  needed: readonly string[],
  given: ReadonlyMap<string, Uint8Array>,
  plannedBy: string | null,
): Promise<readonly ByteChange[]> => {
  const changes: ByteChange[] = [];
  for (const name of [...(await findMissing(tx, [...new Set(needed)]))].sort()) {
    const bytes = given.get(name);
    if (!bytes)
      throw new AppError(
        'INVALID_REQUEST',
        `Expected the bytes of blob ${name}, which is not stored, but got none`,
        { blob: name },
      );
    const actual = sha256(bytes);
    if (actual !== name)
      throw new AppError(
        'INVALID_REQUEST',
        `Expected bytes with sha-256 ${name}, but their hash is ${actual}`,
        { blob: name },
      );
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const written = await tx.query(
      blobColumns,
      `INSERT INTO blobs (sha256, bytes, client) VALUES ($1, $2, (SELECT w.client FROM sweeps w WHERE w.id = $3))
       ON CONFLICT DO NOTHING RETURNING ${blobList}`,
      [name, buffer, plannedBy],
    );
    changes.push(...byteChanges(written, 1));
  }
  return changes;
};

/**
 * Deletes the blobs that no checkpoint refers to. Skips a blob to which another transaction is adding a reference: the foreign key of that
 * transaction locks the blob. The caller counts the changes (`countBytes`).
 */
export const dropUnused = async (tx: Tx, hashes: readonly string[]): Promise<readonly ByteChange[]> => {
  if (hashes.length === 0) return [];
  const deleted = await tx.query(
    blobColumns,
    `DELETE FROM blobs WHERE sha256 IN (
       SELECT b.sha256 FROM blobs b
       WHERE b.sha256 = ANY($1) AND NOT EXISTS (SELECT FROM checkpoint_blobs r WHERE r.sha256 = b.sha256)
       ORDER BY b.sha256 FOR UPDATE SKIP LOCKED) RETURNING ${blobList}`,
    [hashes],
  );
  return byteChanges(deleted, -1);
};

/** The number that represents a chain in tables with many rows. A chain without a number gets one. */
export const chainNumber = async (tx: Tx, chain: string): Promise<number> => {
  const find = () => tx.query({ id: int4() }, 'SELECT id FROM chains WHERE hash = $1', [chain]);
  const [found] = await find();
  if (found) return found.id;
  await tx.run('INSERT INTO chains (hash) VALUES ($1) ON CONFLICT DO NOTHING', [chain]);
  const [inserted] = await find(); // this transaction inserted it, or the one that it waited for
  return inserted!.id;
};

const blobsOf = ({ networks, moments }: CheckpointManifest): string[] => [
  ...new Set([...Object.values(networks).map((network) => network.blob), ...(moments ? [moments.blob] : [])]),
];

export type StoredCheckpoint = {
  /** The hash of the checkpoint that is stored now. */
  readonly hash: string;
  readonly inserted: boolean;
  /** Whether the stored checkpoint equals the checkpoint of this call. */
  readonly matches: boolean;
  /** To be counted (`countBytes`). */
  readonly stored: readonly ByteChange[];
};

/** `plannedBy`: the sweep whose plan counts the epochs of the stage. */
export const insertCheckpoint = async (
  tx: Tx,
  chainId: number,
  { manifest, blobs }: Pick<CheckpointWrite, 'manifest' | 'blobs'>,
  plannedBy: string | null,
): Promise<StoredCheckpoint> => {
  const { epoch, step } = manifest.position;
  const key = [chainId, epoch, step] as const;
  const [stored] = await tx.query(
    { hash: text(), continuable: bool() },
    'SELECT hash, continuable FROM checkpoints WHERE chain_id = $1 AND epoch = $2 AND step = $3',
    key,
  );
  const hash = checkpointHash(manifest);
  // The same state, but its moments have been dropped. An attempt that started from an earlier checkpoint needs them again.
  const restoresMoments = stored?.hash === hash && !stored.continuable && manifest.moments !== null;
  if (stored && !restoresMoments)
    return { hash: stored.hash, inserted: false, matches: stored.hash === hash, stored: [] };
  const needed = blobsOf(manifest);
  const changes = await putBlobs(tx, needed, blobs, plannedBy);
  await tx.run(
    `INSERT INTO checkpoints (chain_id, epoch, step, hash, manifest, continuable) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (chain_id, epoch, step) DO UPDATE SET continuable = excluded.continuable`,
    [...key, hash, JSON.stringify(manifest), manifest.moments !== null],
  );
  await tx.run(
    'INSERT INTO checkpoint_blobs (chain_id, epoch, step, sha256) SELECT $1, $2, $3, unnest($4::text[]) ON CONFLICT DO NOTHING',
    [...key, needed],
  );
  return { hash, inserted: !stored, matches: true, stored: changes };
};

/**
 * Drops states that nobody needs after this position: states in the middle of earlier epochs, and Adam's moments of all earlier states.
 * Keeps the moments at the end of a stage of the chain, because a longer stage may continue from them. The caller counts the changes
 * (`countBytes`).
 */
export const dropSuperseded = async (
  tx: Tx,
  chainId: number,
  { epoch, step }: Position,
): Promise<readonly ByteChange[]> => {
  const fromMidEpoch = await tx.query(
    { sha256: text() },
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
  const fromMoments = await tx.query(
    { sha256: text() },
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
  return dropUnused(
    tx,
    [...fromMidEpoch, ...fromMoments].map((row) => row.sha256),
  );
};

/** The manifest of a checkpoint; `moments` is null if they were dropped. Errors: NOT_FOUND. */
export const getCheckpoint = async (db: Db, hash: string): Promise<CheckpointManifest> => {
  const [row] = await reading(db).query(
    { manifest: jsonb<CheckpointManifest>(), continuable: bool() },
    'SELECT manifest, continuable FROM checkpoints WHERE hash = $1 ORDER BY continuable DESC LIMIT 1',
    [hash],
  );
  if (!row) throw new AppError('NOT_FOUND', `Expected a checkpoint, but there is none with hash ${hash}`);
  return row.continuable ? row.manifest : { ...row.manifest, moments: null };
};
