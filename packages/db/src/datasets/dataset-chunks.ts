/** The chunks of data sets: parts of 4 MiB of the canonical form. */
import { createHash } from 'node:crypto';
import { AppError, datasetChunkBytes, datasetChunks } from '@funnel/contracts';
import { bool, bytea, int4, int8, orNull, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, transaction } from '../connection/transaction.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const notFound = (digest: string, number: number): AppError =>
  new AppError(
    'NOT_FOUND',
    `Expected chunk ${number} of a data set that was announced, but ${digest.slice(0, 12)} has none`,
  );

/** The length of a chunk of a canonical form of `bytes` bytes. */
const chunkLength = (bytes: number, number: number): number =>
  number < datasetChunks(bytes) - 1 ? datasetChunkBytes : bytes - number * datasetChunkBytes;

export type ChunkWrite = { readonly digest: string; readonly number: number; readonly bytes: Uint8Array };

/**
 * Stores a chunk in one transaction, unless it is stored already. Resolves to the number of chunks that are still missing. Errors: NOT_FOUND
 * when nobody announced the data set, DATASET_CORRUPT when the bytes are not those that were announced.
 */
export const putDatasetChunk = async (
  db: Db,
  { digest, number, bytes }: ChunkWrite,
): Promise<{ readonly missing: number }> => {
  const hash = sha256(bytes);
  return transaction(db, async (tx) => {
    const [chunk] = await tx.query(
      { sha256: text(), stored: bool(), bytes: int8() },
      `SELECT c.sha256, c.bytes IS NOT NULL AS stored, d.bytes FROM dataset_chunks c JOIN datasets d USING (digest)
       WHERE c.digest = $1 AND c.number = $2 FOR NO KEY UPDATE OF c`,
      [digest, number],
    );
    if (!chunk) throw notFound(digest, number);
    const length = chunkLength(chunk.bytes, number);
    if (bytes.length !== length)
      throw new AppError(
        'DATASET_CORRUPT',
        `Expected ${length} bytes in chunk ${number}, but got ${bytes.length}`,
      );
    if (hash !== chunk.sha256)
      throw new AppError(
        'DATASET_CORRUPT',
        `Expected bytes with the sha-256 ${chunk.sha256} in chunk ${number}, but theirs is ${hash}`,
      );
    if (!chunk.stored) {
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      await tx.run('UPDATE dataset_chunks SET bytes = $3 WHERE digest = $1 AND number = $2', [
        digest,
        number,
        buffer,
      ]);
      await tx.audit({ action: 'putDatasetChunk', subject: digest, details: { number } });
    }
    const [left] = await tx.query(
      { missing: int4() },
      'SELECT count(*)::int AS missing FROM dataset_chunks WHERE digest = $1 AND bytes IS NULL',
      [digest],
    );
    return left!;
  });
};

/** Bytes per statement. The driver reads bytes as hexadecimal text, which takes four times as much memory for a moment. */
const pieceBytes = 256 * 1024;

/** The bytes of a chunk in pieces, so that few are in memory. Yields nothing if the chunk is not stored. */
export async function* chunkPieces(
  db: Db,
  digest: string,
  number: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let from = 0; from < datasetChunkBytes; from += pieceBytes) {
    const [row] = await reading(db).query(
      { piece: orNull(bytea()) },
      'SELECT substring(c.bytes FROM $3 FOR $4) AS piece FROM dataset_chunks c WHERE c.digest = $1 AND c.number = $2',
      [digest, number, from + 1, pieceBytes],
    );
    const piece = row?.piece;
    if (!piece || piece.length === 0) return;
    yield piece;
    if (piece.length < pieceBytes) return;
  }
}

/** One chunk of a complete data set. Errors: NOT_FOUND. */
export const getDatasetChunk = async (
  db: Db,
  { digest, number }: Omit<ChunkWrite, 'bytes'>,
): Promise<Uint8Array> => {
  const [row] = await reading(db).query(
    { length: int4() },
    `SELECT octet_length(c.bytes) AS length FROM dataset_chunks c JOIN datasets d USING (digest)
     WHERE c.digest = $1 AND c.number = $2 AND d.completed_at IS NOT NULL`,
    [digest, number],
  );
  if (!row) throw notFound(digest, number);
  const bytes = new Uint8Array(row.length);
  let at = 0;
  for await (const piece of chunkPieces(db, digest, number)) {
    bytes.set(piece, at);
    at += piece.length;
  }
  if (at < row.length) throw notFound(digest, number); // deleted meanwhile
  return bytes;
};

/** The bytes from `from` up to `to` (exclusive) of the canonical form. The caller sees to it that the data set is complete. */
export const readDatasetBytes = async (
  db: Db,
  { digest, from, to }: { readonly digest: string; readonly from: number; readonly to: number },
): Promise<Uint8Array> => {
  const rows = await reading(db).query(
    { part: bytea() },
    `SELECT substring(c.bytes FROM greatest($2 - c.number * ${datasetChunkBytes}::int8, 0)::int + 1
       FOR (least($3 - c.number * ${datasetChunkBytes}::int8, ${datasetChunkBytes}) - greatest($2 - c.number * ${datasetChunkBytes}::int8, 0))::int) AS part
     FROM dataset_chunks c WHERE c.digest = $1 AND c.number BETWEEN $4 AND $5 ORDER BY c.number`,
    [digest, from, to, Math.floor(from / datasetChunkBytes), Math.floor((to - 1) / datasetChunkBytes)],
  );
  return Buffer.concat(rows.map(({ part }) => part));
};
