/**
 * How a data set comes in: somebody announces it, sends the missing chunks, and announces it again until it is complete and has its name.
 * Each step is one transaction and may be repeated, so an upload goes on where it stopped.
 */
import {
  AppError,
  builtInOf,
  type DatasetLimits,
  type DatasetProgress,
  type DatasetUpload,
  datasetChunkBytes,
  datasetChunks,
  datasetLayout,
  datasets,
  defaultLimits,
  isBuiltIn,
} from '@funnel/contracts';
import { bool, int4s, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { type Tx, transaction, type Writing } from '../connection/transaction.ts';
import { checkBytes, checkName, checkQuota, nameDataset } from './admit-dataset.ts';
import { corruptUpload, type DatasetRow, datasetColumns, datasetList, lockDataset } from './dataset-rows.ts';
import { removeUnfinished } from './unfinished.ts';

/** Throws DATASET_TOO_LARGE and INVALID_REQUEST, before anything is stored. */
const checkUpload = (
  { name, content, chunks }: DatasetUpload,
  limits: DatasetLimits,
): { readonly bytes: number } => {
  const { bytes } = datasetLayout(content);
  checkBytes({ name, bytes }, limits);
  const count = datasetChunks(bytes);
  if (chunks.length !== count) {
    const expected = `${count} chunks, because ${bytes} bytes have as many of ${datasetChunkBytes} bytes`;
    throw new AppError('INVALID_REQUEST', `Expected ${expected}, but got ${chunks.length}`, {
      issues: [{ path: 'chunks', expected, received: String(chunks.length) }],
    });
  }
  return { bytes };
};

const findRow = async (tx: Tx, digest: string): Promise<DatasetRow | undefined> => {
  const [row] = await tx.query(datasetColumns, `SELECT ${datasetList} FROM datasets d WHERE d.digest = $1`, [
    digest,
  ]);
  return row;
};

/** Whether a stored data set was announced with this content. The order of the keys does not matter. */
const hasContent = async (tx: Tx, { digest, content }: DatasetUpload): Promise<boolean> => {
  const [row] = await tx.query(
    { same: bool() },
    'SELECT d.content = $2::jsonb AS same FROM datasets d WHERE d.digest = $1',
    [digest, JSON.stringify(content)],
  );
  return row!.same;
};

/** Whether the content, and the SHA-256 of each chunk, were announced before. Others may be wrong: the latest announcement counts. */
const isSameAnnouncement = async (tx: Tx, upload: DatasetUpload): Promise<boolean> => {
  const [row] = await tx.query(
    { same: bool() },
    `SELECT coalesce(array_agg(c.sha256 ORDER BY c.number), '{}') = $2::text[] AS same FROM dataset_chunks c WHERE c.digest = $1`,
    [upload.digest, upload.chunks],
  );
  return row!.same && (await hasContent(tx, upload));
};

/** The digest covers the content, so a data set with this digest and another content does not exist. */
const otherContent = ({ content: stored }: DatasetRow, { digest, content }: DatasetUpload): AppError => {
  const expected = `the content of ${digest.slice(0, 12)}, ${JSON.stringify(stored)}`;
  return new AppError('INVALID_REQUEST', `Expected ${expected}, but got another content`, {
    issues: [{ path: 'content', expected, received: JSON.stringify(content) }],
  });
};

const insert = async (
  tx: Writing,
  { name, digest, content, chunks }: DatasetUpload,
  { owner, bytes }: { readonly owner: string; readonly bytes: number },
): Promise<void> => {
  const builtIn = builtInOf(digest);
  await tx.run(
    'INSERT INTO datasets (digest, identity, content, bytes, owner, name) VALUES ($1, $2, $3, $4, $5, $6)',
    [digest, builtIn ? datasets[builtIn].digest : digest, JSON.stringify(content), bytes, owner, name],
  );
  await tx.run(
    `INSERT INTO dataset_chunks (digest, number, sha256)
     SELECT $1, c.number - 1, c.sha256 FROM unnest($2::text[]) WITH ORDINALITY AS c (sha256, number)`,
    [digest, chunks],
  );
  await tx.audit({ action: 'addDataset', subject: name, details: { digest, bytes } });
};

const missingOf = async (tx: Tx, digest: string): Promise<readonly number[]> => {
  const [row] = await tx.query(
    { missing: int4s() },
    `SELECT coalesce(array_agg(c.number ORDER BY c.number), '{}') AS missing FROM dataset_chunks c WHERE c.digest = $1 AND c.bytes IS NULL`,
    [digest],
  );
  return row!.missing;
};

/**
 * Announces a data set, or asks how far it has come; gives it its name once it is complete. `owner`: the token whose quota it counts
 * against. Errors: DATASET_TOO_LARGE, INVALID_REQUEST, NAME_TAKEN, TOO_MANY_DATASETS, and DATASET_CORRUPT after a check that refused it;
 * the next call then begins anew.
 */
export const addDataset = async (
  db: Db,
  upload: DatasetUpload,
  { owner, limits = defaultLimits }: { readonly owner: string; readonly limits?: DatasetLimits },
): Promise<DatasetProgress> => {
  const { bytes } = checkUpload(upload, limits);
  const { digest } = upload;
  const progress = await transaction(
    db,
    async (tx): Promise<DatasetProgress | { readonly fault: string }> => {
      await lockDataset(tx, digest);
      const isNamed = await checkName(tx, upload, { owner, limits });
      const row = await findRow(tx, digest);
      if (row && row.completed_at !== null) {
        if (!(await hasContent(tx, upload))) throw otherContent(row, upload);
        if (!isNamed) await nameDataset(tx, upload, { owner, action: 'addDataset' });
        return { digest, status: 'complete', missing: [] };
      }
      if (row && row.fault !== null) {
        await tx.run('DELETE FROM datasets WHERE digest = $1', [digest]);
        return { fault: row.fault };
      }
      if (row && (await isSameAnnouncement(tx, upload)))
        await tx.run('UPDATE datasets SET asked_at = now(), name = $2 WHERE digest = $1', [
          digest,
          upload.name,
        ]);
      else {
        await tx.run('DELETE FROM datasets WHERE digest = $1', [digest]);
        await checkQuota(tx, owner, bytes, limits);
        await insert(tx, upload, { owner, bytes });
      }
      const missing = await missingOf(tx, digest);
      return { digest, status: missing.length > 0 ? 'receiving' : 'checking', missing: [...missing] };
    },
  );
  if ('fault' in progress) throw corruptUpload(progress.fault);
  return progress;
};

const notAdded = (name: string): AppError =>
  isBuiltIn(name)
    ? new AppError('NOT_FOUND', `Expected a data set that somebody added, but ${name} is built in`, {
        hint: 'A built-in data set stays: it takes no room in the service.',
      })
    : new AppError('NOT_FOUND', `Expected a data set that somebody added, but there is none called ${name}`, {
        hint: 'See `npx funnel data ls`.',
      });

/** Removes a name, or an unfinished upload of `owner` by its name or digest. Errors: NOT_FOUND. */
export const removeDataset = async (
  db: Db,
  name: string,
  caller: { readonly owner: string },
): Promise<void> => {
  await transaction(db, async (tx) => {
    const rows = await tx.query(
      { digest: text() },
      'DELETE FROM dataset_names WHERE name = $1 RETURNING digest',
      [name],
    );
    if (!rows[0]) {
      if (await removeUnfinished(tx, name, caller)) return;
      throw notAdded(name);
    }
    await tx.run('UPDATE datasets SET asked_at = now() WHERE digest = $1', [rows[0].digest]); // see `collect-datasets.ts`
    await tx.audit({ action: 'removeDataset', subject: name, details: { digest: rows[0].digest } });
  });
};
