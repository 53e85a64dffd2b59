/** Stores a data set whose bytes arrive in their order while nobody knows its digest yet: at the end it gets its digest and its name. */
import { createHash, randomBytes } from 'node:crypto';
import {
  AppError,
  builtInOf,
  createDatasetReader,
  type DatasetContent,
  type DatasetLimits,
  type DatasetReader,
  datasetChunkBytes,
  datasetLayout,
  datasets,
  defaultLimits,
} from '@funnel/contracts';
import { int4, text } from '../connection/columns.ts';
import { errorCode } from '../connection/database-errors.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx, transaction } from '../connection/transaction.ts';
import { checkBytes, checkName, checkQuota, nameDataset } from './admit-dataset.ts';
import { corruptUpload, lockDataset } from './dataset-rows.ts';

export type StoreRequest = {
  readonly name: string;
  readonly content: DatasetContent;
  /** The token that adds it. */
  readonly owner: string;
  readonly limits?: DatasetLimits;
};

/** A digest of nothing, for the time until the digest is known. */
const makeProvisional = (): string => randomBytes(32).toString('hex');

const begin = async (
  db: Db,
  provisional: string,
  { name, content, owner, limits = defaultLimits }: StoreRequest,
): Promise<void> => {
  const { bytes } = datasetLayout(content);
  checkBytes({ name, bytes }, limits);
  await transaction(db, async (tx) => {
    await checkQuota(tx, owner, bytes, limits);
    await tx.run(
      'INSERT INTO datasets (digest, identity, content, bytes, owner, name) VALUES ($1, $1, $2, $3, $4, $5)',
      [provisional, JSON.stringify(content), bytes, owner, name],
    );
  });
};

/** Passes the bytes to `store` in chunks of 4 MiB, of which one is in memory. Counts and hashes them on the way. */
const storeChunks = async (
  parts: AsyncIterable<Uint8Array>,
  reader: DatasetReader,
  store: (number: number, chunk: Buffer) => Promise<void>,
): Promise<string> => {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(datasetChunkBytes);
  let [filled, number] = [0, 0];
  for await (const part of parts) {
    hash.update(part);
    reader.push(part);
    for (let from = 0; from < part.length; ) {
      const taken = part.subarray(from, from + datasetChunkBytes - filled);
      buffer.set(taken, filled);
      filled += taken.length;
      from += taken.length;
      if (filled < datasetChunkBytes) continue;
      await store(number++, buffer);
      filled = 0;
    }
  }
  if (filled > 0) await store(number, buffer.subarray(0, filled));
  return hash.digest('hex');
};

/** Whether the service has the complete data set. An unfinished upload of it is deleted. */
const takePlaceOf = async (tx: Tx, digest: string): Promise<boolean> => {
  const [row] = await tx.query(
    { complete: int4() },
    'SELECT count(*)::int AS complete FROM datasets WHERE digest = $1 AND completed_at IS NOT NULL',
    [digest],
  );
  if (row!.complete > 0) return true;
  await tx.run('DELETE FROM datasets WHERE digest = $1', [digest]);
  return false;
};

const removedMeanwhile = (name: string): AppError =>
  new AppError('NOT_FOUND', `Expected the upload of ${name} to stay until its end, but somebody removed it`, {
    hint: 'Upload it again.',
  });

/** SQLSTATE of a chunk whose data set is gone. */
const foreignKeyViolation = '23503';

const complete = (
  db: Db,
  { provisional, digest, reader }: { provisional: string; digest: string; reader: DatasetReader },
  { name, owner, limits = defaultLimits }: StoreRequest,
): Promise<void> =>
  transaction(db, async (tx) => {
    await lockDataset(tx, digest);
    const isNamed = await checkName(tx, { name, digest }, { owner, limits });
    if (await takePlaceOf(tx, digest)) await tx.run('DELETE FROM datasets WHERE digest = $1', [provisional]);
    else {
      const builtIn = builtInOf(digest);
      const [row] = await tx.query(
        { digest: text() },
        'UPDATE datasets SET digest = $2, identity = $3, summary = $4, completed_at = now() WHERE digest = $1 RETURNING digest',
        [provisional, digest, builtIn ? datasets[builtIn].digest : digest, JSON.stringify(reader.summary())],
      );
      if (!row) throw removedMeanwhile(name);
    }
    if (!isNamed) await nameDataset(tx, { name, digest }, { owner, action: 'addDatasetArrays' });
  });

/**
 * Stores a data set in canonical form, and gives it its name. `parts`: all bytes in their order, in parts of any length. Resolves to the
 * digest. Leaves nothing behind when it throws: DATASET_TOO_LARGE, TOO_MANY_DATASETS, NAME_TAKEN, DATASET_CORRUPT,
 * NOT_FOUND (somebody removed it meanwhile), and the errors of `parts`.
 */
export const storeDataset = async (
  db: Db,
  request: StoreRequest,
  parts: AsyncIterable<Uint8Array>,
): Promise<string> => {
  const provisional = makeProvisional();
  await begin(db, provisional, request);
  try {
    const reader = createDatasetReader(request.content);
    const digest = await storeChunks(parts, reader, (number, chunk) =>
      reading(db).run(`INSERT INTO dataset_chunks (digest, number, sha256, bytes) VALUES ($1, $2, $3, $4)`, [
        provisional,
        number,
        createHash('sha256').update(chunk).digest('hex'),
        chunk,
      ]),
    );
    const fault = reader.fault();
    if (fault !== null) throw corruptUpload(fault);
    await complete(db, { provisional, digest, reader }, request);
    return digest;
  } catch (error) {
    // Without a connection to the database, the rows stay for a day.
    await reading(db)
      .run('DELETE FROM datasets WHERE digest = $1', [provisional])
      .catch(() => {});
    throw errorCode(error) === foreignKeyViolation ? removedMeanwhile(request.name) : error;
  }
};
