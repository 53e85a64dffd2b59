/** The rows of data sets, and the lock under which one of them changes. */
import { AppError, type DatasetContent, type DatasetSummary } from '@funnel/contracts';
import { int8, jsonb, listOf, orNull, type RowOf, text, timestamptz } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';

export const datasetColumns = {
  digest: text(),
  identity: text(),
  content: jsonb<DatasetContent>(),
  bytes: int8(),
  owner: text(),
  created_at: timestamptz(),
  fault: orNull(text()),
  summary: orNull(jsonb<DatasetSummary>()),
  completed_at: orNull(timestamptz()),
};
export type DatasetRow = RowOf<typeof datasetColumns>;

/** SQL: the columns of the data set with the alias `d`. */
export const datasetList = listOf(datasetColumns, 'd');

/** Bytes of an upload are not those that were promised. */
export const corruptUpload = (message: string): AppError =>
  new AppError('DATASET_CORRUPT', message, {
    hint: 'Upload it again: `npx funnel data add NAME PATH` sends what is missing or wrong.',
  });

/** Until the end of the transaction, nobody else announces, completes or deletes this data set. */
export const lockDataset = (tx: Tx, digest: string): Promise<void> =>
  tx.run(`SELECT pg_advisory_xact_lock(hashtext('funnel dataset'), hashtext($1))`, [digest]);
