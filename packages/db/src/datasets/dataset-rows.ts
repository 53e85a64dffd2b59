/** The rows of data sets, and the lock under which one of them changes. */
import type { DatasetContent, DatasetSummary } from '@funnel/contracts';
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

/** Until the end of the transaction, nobody else announces, completes or deletes this data set. */
export const lockDataset = (tx: Tx, digest: string): Promise<void> =>
  tx.run(`SELECT pg_advisory_xact_lock(hashtext('funnel dataset'), hashtext($1))`, [digest]);
