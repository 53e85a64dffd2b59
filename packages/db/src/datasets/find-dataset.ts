/** Complete data sets by name or digest. */
import {
  AppError,
  type DatasetImages,
  type DatasetImagesQuery,
  datasetLayout,
  maxShownBytes,
} from '@funnel/contracts';
import { text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';
import { readDatasetBytes } from './dataset-chunks.ts';
import { type DatasetRow, datasetColumns, datasetList } from './dataset-rows.ts';

/** A complete data set. */
export type StoredDataset = Omit<DatasetRow, 'summary' | 'completed_at' | 'fault'> & {
  readonly summary: NonNullable<DatasetRow['summary']>;
};

/** The complete data set of this name, digest or identity; null if there is none. */
export const findDataset = async (db: Db, name: string): Promise<StoredDataset | null> => {
  const [row] = await reading(db).query(
    datasetColumns,
    `SELECT ${datasetList} FROM datasets d
     WHERE d.completed_at IS NOT NULL
       AND (d.digest = $1 OR d.identity = $1 OR d.digest = (SELECT n.digest FROM dataset_names n WHERE n.name = $1))
     LIMIT 1`,
    [name],
  );
  if (!row || row.summary === null) return null;
  const { summary, completed_at, fault, ...rest } = row;
  return { ...rest, summary };
};

/** All names of users' data sets, in order. */
export const listDatasetNames = async (db: Db): Promise<readonly string[]> => {
  const rows = await reading(db).query({ name: text() }, 'SELECT name FROM dataset_names ORDER BY name');
  return rows.map(({ name }) => name);
};

/** The first name of each complete data set, by its identity. */
export const storedNames = async (tx: Tx): Promise<ReadonlyMap<string, string>> => {
  const rows = await tx.query(
    { identity: text(), name: text() },
    'SELECT d.identity, min(n.name) AS name FROM dataset_names n JOIN datasets d USING (digest) WHERE d.identity = d.digest GROUP BY 1',
  );
  return new Map(rows.map(({ identity, name }) => [identity, name]));
};

/** The complete data set. Errors: NOT_FOUND. */
const requireDataset = async (db: Db, name: string): Promise<StoredDataset> => {
  const found = await findDataset(db, name);
  if (!found)
    throw new AppError(
      'NOT_FOUND',
      `Expected a data set that the service has, but there is none called ${name}`,
    );
  return found;
};

/** Some images of a complete data set, at most 4 MiB of them. Errors: NOT_FOUND. */
export const getDatasetImages = async (
  db: Db,
  name: string,
  { split, from, count }: DatasetImagesQuery,
): Promise<DatasetImages> => {
  const { digest, content } = await requireDataset(db, name);
  const { imageBytes, labels, pixels } = datasetLayout(content);
  const most = Math.max(1, Math.floor(maxShownBytes / imageBytes));
  const to = Math.min(content[split], from + Math.min(count, most));
  const shown = Math.max(0, to - from);
  const { shape } = content;
  if (shown === 0) return { shape, index: [], label: [], images: [] };
  const read = (begin: number, bytes: number) =>
    readDatasetBytes(db, { digest, from: begin + from * bytes, to: begin + to * bytes });
  const labelBytes = await read(labels[split], 2);
  const pixelBytes = await read(pixels[split], imageBytes);
  const rows = Array.from({ length: shown }, (_, i) => i);
  return {
    shape,
    index: rows.map((i) => from + i),
    label: rows.map((i) => labelBytes[2 * i]! + 256 * labelBytes[2 * i + 1]!),
    images: rows.map((i) =>
      Buffer.from(pixelBytes.subarray(i * imageBytes, (i + 1) * imageBytes)).toString('base64'),
    ),
  };
};
