/** Data sets for tests: each test of a file begins without any. */
import { beforeEach, expect } from 'vitest';
import { addDataset, checkDataset, putDatasetChunk } from '../../src/index.ts';
import { type MadeDataset, type MakeDataset, makeDataset } from '../../src/testing/index.ts';
import { db, shareDb } from './shared-db.ts';
import { query } from './tables.ts';

/** Called once, at the top of a file. */
export const shareDatasets = (): void => {
  shareDb();
  beforeEach(async () => {
    await query(db, 'DELETE FROM dataset_names');
    await query(db, 'DELETE FROM datasets');
    await query(db, 'DELETE FROM workers');
  });
};

export const owner = 'ann';
export const add = (made: MadeDataset, more: object = {}) => addDataset(db, made.upload, { owner, ...more });

/** Brings a data set in. */
export const bring = async (input: MakeDataset = {}): Promise<MadeDataset> => {
  const made = makeDataset(input);
  const { digest } = made.upload;
  for (const number of (await add(made)).missing)
    await putDatasetChunk(db, { digest, number, bytes: made.chunk(number) });
  await checkDataset(db, digest);
  expect(await add(made)).toMatchObject({ status: 'complete' });
  return made;
};

/** Three chunks. */
export const threeChunks = { shape: [64, 64, 1] as [number, number, number], train: 2000, test: 600 };
