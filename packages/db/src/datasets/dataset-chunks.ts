/** The chunks of data sets: parts of 4 MiB of the canonical form. */
import { createHash } from 'node:crypto';
import { AppError, datasetChunkBytes, datasetChunks, Sha256 } from '@funnel/contracts';
import { bool, int4, int8, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, transaction } from '../connection/transaction.ts';
import { corruptUpload } from './dataset-rows.ts';

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
      throw corruptUpload(`Expected ${length} bytes in chunk ${number}, but got ${bytes.length}`);
    if (hash !== chunk.sha256)
      throw corruptUpload(
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

/** Bytes per row. The driver joins the parts of a row, so with larger rows it would copy more. */
const pieceBytes = 64 * 1024;

/** A digest in the text of a statement that takes no parameters. */
const quoted = (digest: string): string => `'${Sha256.parse(digest)}'`;

/** Passes the bytes of a chunk to `take` in pieces, which it must copy. Nothing if the chunk is not stored. */
export const readChunk = async (
  db: Db,
  { digest, number }: Omit<ChunkWrite, 'bytes'>,
  take: (piece: Uint8Array) => void,
): Promise<void> =>
  reading(db).readBytes(
    `SELECT substring((SELECT c.bytes FROM dataset_chunks c WHERE c.digest = ${quoted(digest)} AND c.number = ${Number(number)}) FROM p.first FOR ${pieceBytes})
     FROM generate_series(1, ${datasetChunkBytes}, ${pieceBytes}) AS p (first)`,
    take,
  );

/** Puts pieces one after the other into an array of `length` bytes. */
const joining = (length: number) => {
  const bytes = new Uint8Array(length);
  let at = 0;
  return {
    take: (piece: Uint8Array): void => {
      bytes.set(piece, at);
      at += piece.length;
    },
    /** Throws NOT_FOUND if bytes are missing. */
    result: (missing: AppError): Uint8Array => {
      if (at < length) throw missing;
      return bytes;
    },
  };
};

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
  const chunk = joining(row.length);
  await readChunk(db, { digest, number }, chunk.take);
  return chunk.result(notFound(digest, number)); // it may have been deleted meanwhile
};

/**
 * The bytes from `from` up to `to` (exclusive) of the canonical form. The caller sees to it that the data set is complete. Errors: NOT_FOUND
 * when it is deleted meanwhile.
 */
export const readDatasetBytes = async (
  db: Db,
  { digest, from, to }: { readonly digest: string; readonly from: number; readonly to: number },
): Promise<Uint8Array> => {
  const first = Math.floor(from / datasetChunkBytes);
  const bytes = joining(to - from);
  for (let number = first; number * datasetChunkBytes < to; number++) {
    const begin = Math.max(from - number * datasetChunkBytes, 0);
    const end = Math.min(to - number * datasetChunkBytes, datasetChunkBytes);
    await reading(db).readBytes(
      `SELECT substring(c.bytes FROM ${begin + 1} FOR ${end - begin}) FROM dataset_chunks c WHERE c.digest = ${quoted(digest)} AND c.number = ${number}`,
      bytes.take,
    );
  }
  return bytes.result(notFound(digest, first));
};
