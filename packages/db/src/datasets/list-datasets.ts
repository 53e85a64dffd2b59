/** What the service says about data sets: the built-in ones, and those of users. */
import {
  builtInOf,
  type Dataset,
  type DatasetDetail,
  type DatasetEntry,
  type DatasetName,
  datasetNames,
  datasets,
  isBuiltIn,
  usualBudgets,
} from '@funnel/contracts';
import { int4, orNull, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';
import { type DatasetRow, datasetColumns, datasetList } from './dataset-rows.ts';
import { unknownDataset } from './find-dataset.ts';

type NamedRow = DatasetRow & { readonly name: string | null };

/** The complete data sets, one row for each of their names. */
const readRows = (db: Db): Promise<readonly NamedRow[]> =>
  reading(db).query(
    { ...datasetColumns, name: orNull(text()) },
    `SELECT ${datasetList}, n.name FROM datasets d LEFT JOIN dataset_names n USING (digest)
     WHERE d.completed_at IS NOT NULL ORDER BY n.name, d.digest`,
  );

/** The number of live workers that have each data set on their disk, by its identity. */
const countWorkers = async (db: Db): Promise<ReadonlyMap<string, number>> => {
  const rows = await reading(db).query(
    { digest: text(), workers: int4() },
    `SELECT d.digest, count(*)::int AS workers FROM workers w CROSS JOIN LATERAL jsonb_to_recordset(w.datasets) AS d (digest text)
     WHERE w.status = 'online' GROUP BY 1`,
  );
  return new Map(rows.map(({ digest, workers }) => [digest, workers]));
};

/** Live workers that have said which data sets they have, and how many of them have this one. */
export const countWorkersWith = async (
  db: Db,
  identity: string,
): Promise<{ readonly asked: number; readonly having: number }> => {
  const [row] = await reading(db).query(
    { asked: int4(), having: int4() },
    `SELECT count(*)::int AS asked, count(*) FILTER (WHERE w.datasets @> jsonb_build_array(jsonb_build_object('digest', $1::text)))::int AS having
     FROM workers w WHERE w.status = 'online' AND w.datasets IS NOT NULL`,
    [identity],
  );
  return row!;
};

type Workers = ReadonlyMap<string, number>;

const builtInEntry = (
  name: DatasetName,
  row: NamedRow | undefined,
  workers: Workers,
): Omit<DatasetDetail, 'summary'> => {
  const { title, digest, content, shape, classes, train, test, budgets }: Dataset = datasets[name];
  return {
    ...{ name, title, digest: content, train, test, budgets },
    shape: [...shape],
    classes: [...classes],
    classCount: classes.length,
    isBuiltIn: true,
    isStored: row !== undefined,
    workers: workers.get(digest) ?? 0,
    bytes: row?.bytes ?? null,
    owner: row?.owner ?? null,
    createdAt: row?.created_at.toISOString() ?? null,
  };
};

const ownEntry = (name: string, row: NamedRow, workers: Workers): Omit<DatasetDetail, 'summary'> => {
  const { digest, identity, content, bytes, owner } = row;
  const { shape, classes, train, test } = content;
  const same = builtInOf(digest);
  return {
    ...{ name, title: name, digest, shape, classes, train, test, bytes, owner },
    classCount: classes.length,
    budgets: same ? datasets[same].budgets : usualBudgets(shape),
    isBuiltIn: false,
    isStored: true,
    workers: workers.get(identity) ?? 0,
    createdAt: row.created_at.toISOString(),
  };
};

/** The built-in data sets, then those of users by name. */
export const listDatasets = async (db: Db): Promise<readonly DatasetEntry[]> => {
  const rows = await readRows(db);
  const workers = await countWorkers(db);
  const builtIn = datasetNames.map((name) =>
    builtInEntry(
      name,
      rows.find(({ digest }) => digest === datasets[name].content),
      workers,
    ),
  );
  const own = rows.flatMap((row) =>
    row.name === null || isBuiltIn(row.name) ? [] : [ownEntry(row.name, row, workers)],
  );
  return [...builtIn, ...own].map(({ classes, ...entry }) => entry);
};

/** One data set, by its name or its digest. Errors: NOT_FOUND. */
export const getDataset = async (db: Db, name: string): Promise<DatasetDetail> => {
  const [row] = await reading(db).query(
    { ...datasetColumns, name: orNull(text()) },
    `SELECT ${datasetList}, (SELECT min(n.name) FROM dataset_names n WHERE n.digest = d.digest) AS name FROM datasets d
     WHERE d.completed_at IS NOT NULL AND (d.digest = $1 OR d.digest = (SELECT n.digest FROM dataset_names n WHERE n.name = $1))`,
    [isBuiltIn(name) ? datasets[name].content : name],
  );
  const builtIn = isBuiltIn(name) ? name : builtInOf(name);
  if (!row && builtIn === undefined) throw unknownDataset(name);
  const workers = await countWorkers(db);
  const ownName = name === row?.digest ? (row.name ?? name.slice(0, 12)) : name;
  const entry =
    builtIn === undefined ? ownEntry(ownName, row!, workers) : builtInEntry(builtIn, row, workers);
  return { ...entry, summary: row?.summary ?? null };
};
