/** Whether a data set may come in: its size, its name, and the share of its token. Throws before a byte is stored. */
import {
  AppError,
  type DatasetLimits,
  datasets,
  fixedLimit,
  formatBytes,
  isBuiltIn,
  plural,
  variableOf,
} from '@funnel/contracts';
import { int4, int8, orNull, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx, type Writing } from '../connection/transaction.ts';
import { hintOf, refuseUnfinished } from './unfinished.ts';

type Named = { readonly name: string; readonly digest: string };

const maxNames = fixedLimit('datasetNames');

/** Throws DATASET_TOO_LARGE. */
export const checkBytes = (
  { name, bytes }: { readonly name: string; readonly bytes: number },
  { datasetBytes }: DatasetLimits,
): void => {
  if (bytes > datasetBytes)
    throw new AppError(
      'DATASET_TOO_LARGE',
      `Expected a data set of at most ${formatBytes(datasetBytes)} (${variableOf('datasetBytes')}), but ${name} has ${formatBytes(bytes)}`,
    );
};

const countNames = async (tx: Tx, owner: string): Promise<number> => {
  const [row] = await tx.query(
    { names: int4() },
    'SELECT count(*)::int AS names FROM dataset_names WHERE owner = $1',
    [owner],
  );
  return row!.names;
};

/** How many names of data sets a token has given. */
export const datasetNamesOf = (db: Db, owner: string): Promise<number> => countNames(reading(db), owner);

/** Throws NAME_TAKEN and TOO_MANY_DATASETS. Resolves to whether the name stands for this data set already. */
export const checkName = async (
  tx: Tx,
  { name, digest }: Named,
  { owner, limits: { ownDatasetNames } }: { readonly owner: string; readonly limits: DatasetLimits },
): Promise<boolean> => {
  if (isBuiltIn(name) && datasets[name].content !== digest)
    throw new AppError(
      'NAME_TAKEN',
      `Expected the content of ${datasets[name].title} under the name ${name}, which is built in, but got another data set`,
      { hint: 'Take another name.' },
    );
  await tx.run(`SELECT pg_advisory_xact_lock(hashtext('funnel dataset names'), 0)`); // until the name is written
  const [row] = await tx.query(
    { digest: orNull(text()), names: int4() },
    `SELECT (SELECT n.digest FROM dataset_names n WHERE n.name = $1) AS digest, (SELECT count(*)::int FROM dataset_names) AS names`,
    [name],
  );
  const { digest: known, names } = row!;
  if (known !== null && known !== digest)
    throw new AppError(
      'NAME_TAKEN',
      `Expected a name that is free, but ${name} stands for the data set ${known.slice(0, 12)}`,
    );
  if (known === null && names >= maxNames)
    throw new AppError(
      'TOO_MANY_DATASETS',
      `Expected at most ${maxNames} names of data sets, but there are as many already`,
    );
  if (known === null && (await countNames(tx, owner)) >= ownDatasetNames)
    throw new AppError(
      'TOO_MANY_DATASETS',
      `Expected at most ${plural(ownDatasetNames, 'name')} of data sets from one token (${variableOf('ownDatasetNames')}), but it has given as many`,
      { hint: 'Remove names that you no longer need: `npx funnel data rm NAME`.' },
    );
  return known !== null;
};

const bytesOfOwner = async (tx: Tx, owner: string): Promise<number> => {
  const [row] = await tx.query(
    { stored: int8() },
    'SELECT coalesce(sum(bytes), 0)::int8 AS stored FROM datasets WHERE owner = $1',
    [owner],
  );
  return row!.stored;
};

/** The bytes of the data sets that a token has added, also of unfinished ones. */
export const datasetBytesOf = (db: Db, owner: string): Promise<number> => bytesOfOwner(reading(db), owner);

/** Throws TOO_MANY_DATASETS if the token has too many unfinished uploads, or would have added more bytes than it may. */
export const checkQuota = async (
  tx: Tx,
  owner: string,
  bytes: number,
  limits: DatasetLimits,
): Promise<void> => {
  const { ownDatasetBytes } = limits;
  await tx.run(`SELECT pg_advisory_xact_lock(hashtext('funnel dataset owner'), hashtext($1))`, [owner]);
  await refuseUnfinished(tx, owner, limits);
  const stored = await bytesOfOwner(tx, owner);
  if (stored + bytes <= ownDatasetBytes) return;
  throw new AppError(
    'TOO_MANY_DATASETS',
    `Expected at most ${formatBytes(ownDatasetBytes)} of data sets from one token (${variableOf('ownDatasetBytes')}), but it has ${formatBytes(stored)}, and this one ${formatBytes(bytes)}`,
    await hintOf(tx, owner),
  );
};

/** The caller has called `checkName` in the same transaction. `action`: the route that adds it. */
export const nameDataset = async (
  tx: Writing,
  { name, digest }: Named,
  { owner, action }: { readonly owner: string; readonly action: string },
): Promise<void> => {
  await tx.run('INSERT INTO dataset_names (name, digest, owner) VALUES ($1, $2, $3)', [name, digest, owner]);
  await tx.audit({ action, subject: name, details: { digest, complete: true } });
};
