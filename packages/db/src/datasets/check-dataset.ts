/** Checks a data set whose chunks are all there, as a whole and chunk by chunk, and makes it complete. */
import { createHash } from 'node:crypto';
import { createDatasetReader, type DatasetContent, datasetChunks } from '@funnel/contracts';
import { int8, jsonb } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';
import { readChunk } from './dataset-chunks.ts';

/** Seconds after which another process takes over a check. Each chunk renews the lease. */
const leaseSeconds = 60;

/** Takes the check of a data set. Resolves to undefined if there is nothing to check, or if another process does it. */
const takeCheck = async (db: Db, digest: string) => {
  const [row] = await reading(db).query(
    { content: jsonb<DatasetContent>(), bytes: int8() },
    `UPDATE datasets d SET checking_until = now() + make_interval(secs => $2)
     WHERE d.digest = $1 AND d.completed_at IS NULL AND d.fault IS NULL AND (d.checking_until IS NULL OR d.checking_until < now())
       AND NOT EXISTS (SELECT FROM dataset_chunks c WHERE c.digest = d.digest AND c.bytes IS NULL)
     RETURNING d.content, d.bytes`,
    [digest, leaseSeconds],
  );
  return row;
};

/** A data set that was deleted and announced anew meanwhile has no lease, and the check leaves it alone. */
const renewLease = (db: Db, digest: string): Promise<void> =>
  reading(db).run(
    'UPDATE datasets SET checking_until = now() + make_interval(secs => $2) WHERE digest = $1 AND checking_until IS NOT NULL',
    [digest, leaseSeconds],
  );

const endLease = (db: Db, digest: string): Promise<void> =>
  reading(db).run('UPDATE datasets SET checking_until = NULL WHERE digest = $1', [digest]);

/**
 * Reads the whole data set once, piece by piece. It becomes complete if its SHA-256 is the digest and its bytes are what was
 * announced; else its row says what is wrong. Does nothing while a chunk is missing or another process checks. Stops when `signal` aborts.
 */
export const checkDataset = async (db: Db, digest: string, signal?: AbortSignal): Promise<void> => {
  const taken = await takeCheck(db, digest);
  if (!taken) return;
  const hash = createHash('sha256');
  const reader = createDatasetReader(taken.content);
  for (let number = 0; number < datasetChunks(taken.bytes); number++) {
    if (signal?.aborted) return endLease(db, digest);
    await renewLease(db, digest);
    await readChunk(db, { digest, number }, (piece) => {
      hash.update(piece);
      reader.push(piece);
    });
  }
  const actual = hash.digest('hex');
  const fault =
    actual === digest
      ? reader.fault()
      : `Expected a canonical form with the sha-256 ${digest}, but the chunks together have ${actual}`;
  await reading(db).run(
    `UPDATE datasets SET checking_until = NULL, fault = $2, summary = $3, completed_at = CASE WHEN $2::text IS NULL THEN now() END
     WHERE digest = $1 AND completed_at IS NULL AND checking_until IS NOT NULL`,
    [digest, fault, fault === null ? JSON.stringify(reader.summary()) : null],
  );
};
