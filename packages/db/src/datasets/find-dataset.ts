/** Complete data sets by name or digest. */
import {
  AppError,
  builtInOf,
  type DatasetImages,
  type DatasetImagesQuery,
  type DatasetName,
  datasetLayout,
  datasetNames,
  didYouMean,
  isBuiltIn,
  isGenerated,
  maxShownBytes,
} from '@funnel/contracts';
import { bool, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';
import { readDatasetBytes } from './dataset-chunks.ts';
import { type DatasetRow, datasetColumns, datasetList } from './dataset-rows.ts';

export const unknownDataset = (name: string): AppError => {
  const question = didYouMean(name, datasetNames);
  return new AppError(
    'NOT_FOUND',
    `Expected a data set, but there is none called ${name}${question === null ? '' : `: ${question}`}`,
    { hint: 'See `npx funnel data ls`.' },
  );
};

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

/** Errors: NOT_FOUND for a name that no data set has and no sweep names. A sweep keeps the name of a data set that was removed. */
export const assertDataset = async (db: Db, name: string): Promise<void> => {
  if (isBuiltIn(name)) return;
  const [row] = await reading(db).query(
    { known: bool() },
    `SELECT EXISTS (SELECT FROM dataset_names WHERE name = $1)
       OR EXISTS (SELECT FROM sweeps WHERE definition -> 'dataset' ->> 'name' = $1) AS known`,
    [name],
  );
  if (!row!.known) throw unknownDataset(name);
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

/** The service knows every built-in data set, but has its images only if somebody added them. */
const withoutImages = (name: DatasetName): AppError =>
  new AppError(
    'NOT_FOUND',
    isGenerated(name)
      ? `Expected a data set whose images the service has, but workers generate those of ${name}`
      : `Expected a data set whose images the service has, but only workers have those of ${name}`,
    { hint: 'Add it under its own name, and the service has its images: `npx funnel data add NAME PATH`.' },
  );

/** The complete data set. Errors: NOT_FOUND. */
const requireDataset = async (db: Db, name: string): Promise<StoredDataset> => {
  const found = await findDataset(db, name);
  if (found) return found;
  const builtIn = isBuiltIn(name) ? name : builtInOf(name);
  throw builtIn === undefined ? unknownDataset(name) : withoutImages(builtIn);
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
