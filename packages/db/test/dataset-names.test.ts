/** The names of data sets, and what the service says about each. */
import { datasets } from '@funnel/contracts';
import { describe, expect, test } from 'vitest';
import { findDataset, getDataset, listDatasets, removeDataset } from '../src/index.ts';
import { makeDataset } from '../src/testing/index.ts';
import { add, bring, owner, shareDatasets } from './support/datasets.ts';
import { db } from './support/shared-db.ts';

shareDatasets();

describe('a name', () => {
  test('stands for one data set until it is removed', async () => {
    const { upload } = await bring();
    const other = makeDataset({ salt: 1 });
    await expect(add(other)).rejects.toMatchObject({ code: 'NAME_TAKEN' });
    await removeDataset(db, 'pets', { owner: 'ann' });
    await expect(removeDataset(db, 'pets', { owner: 'ann' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await bring({ salt: 1 });
    expect(await findDataset(db, 'pets')).toMatchObject({ digest: other.upload.digest });
    expect(await findDataset(db, upload.digest)).toMatchObject({ digest: upload.digest });
  });

  test('of a built-in data set is only for its content', async () => {
    await expect(add(makeDataset({ name: 'mnist' }))).rejects.toMatchObject({ code: 'NAME_TAKEN' });
  });

  test('is listed after the built-in data sets, with what the service knows', async () => {
    const { upload, bytes } = await bring();
    const items = await listDatasets(db);
    expect(items.map(({ name }) => name)).toEqual([...Object.keys(datasets), 'pets']);
    expect(items.at(-1)).toMatchObject({
      ...{
        name: 'pets',
        digest: upload.digest,
        classCount: 3,
        train: 9,
        test: 6,
        bytes: bytes.length,
        owner,
      },
      ...{ isBuiltIn: false, isStored: true, workers: 0 },
    });
    expect(await getDataset(db, 'pets')).toMatchObject({
      classes: ['cat', 'dog', 'bird'],
      summary: { trainCounts: [3, 3, 3] },
    });
    expect(await getDataset(db, upload.digest)).toEqual(await getDataset(db, 'pets'));
    expect(await getDataset(db, 'glyphs')).toMatchObject({ isBuiltIn: true, isStored: false, summary: null });
    await expect(getDataset(db, 'nothing')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
