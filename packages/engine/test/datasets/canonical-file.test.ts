import { createHash } from 'node:crypto';
import { truncateSync, writeFileSync } from 'node:fs';
import { type DatasetName, datasetLayout, datasets } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import {
  canonicalPieces,
  openCanonical,
  readCanonicalSplit,
  readHeader,
} from '../../src/datasets/canonical-file.ts';
import { findDataset, loadDataset } from '../../src/datasets/load-dataset.ts';
import { cacheCanonical, makeCanonical, temporaryFolder } from './canonical.ts';

const made = makeCanonical([3, 5, 2], { train: 40, test: 7 });
const refusal = (message: RegExp | string) =>
  expect.objectContaining({ code: 'DATASET_CORRUPT', message: expect.stringMatching(message) as string });

describe('a canonical file', () => {
  it('gives the first images of each split', async () => {
    const file = await openCanonical(cacheCanonical(temporaryFolder(), made));
    expect(file.content).toEqual(made.content);
    const test = await readCanonicalSplit(file, 'test', 5);
    expect([...test.read([0, 4])]).toEqual([...made.test.read([0, 4])]);
    expect([...test.labels]).toEqual([0, 1, 2, 0, 1]);
    await expect(readCanonicalSplit(file, 'test', 8)).rejects.toMatchObject({
      code: 'DATASET_MISSING',
      message: expect.stringMatching(/^Expected 8 test images in .*, but it has 7$/) as string,
    });
  });

  it('that is too short is refused', async () => {
    const path = cacheCanonical(temporaryFolder(), made);
    const { bytes } = datasetLayout(made.content);
    truncateSync(path, bytes - 1);
    await expect(openCanonical(path)).rejects.toEqual(
      refusal(`Expected ${path} to have ${bytes} bytes, but found ${bytes - 1}`),
    );
  });

  it('with a label that no class has is refused', async () => {
    const path = cacheCanonical(temporaryFolder(), made);
    const changed = Uint8Array.from(made.bytes);
    changed[datasetLayout(made.content).labels.test + 2 * 3 + 1] = 1;
    writeFileSync(path, changed);
    await expect(readCanonicalSplit(await openCanonical(path), 'test', 7)).rejects.toEqual(
      refusal(/labels below 3, but found 256 at 3/),
    );
  });

  it.each([
    ['nothing', ''],
    ['no line feed', '{"classes":["a","b"],"shape":[1,1,1],"test":1,"train":1}'],
    ['another order of keys', '{"train":1,"classes":["a","b"],"shape":[1,1,1],"test":1}\n'],
    ['too many channels', '{"classes":["a","b"],"shape":[1,1,5],"test":1,"train":1}\n'],
    ['no JSON', 'PK\u0003\u0004\n'],
  ])('that begins with %s is refused', (_, text) => {
    expect(() => readHeader('a file', new TextEncoder().encode(text))).toThrow(
      refusal(/^Expected a file to have .*header/) as Error,
    );
  });
});

/** The SHA-256 of the canonical form of a built-in data set. */
const digestOf = async (name: DatasetName): Promise<string> => {
  const { shape, classes, train, test } = datasets[name];
  const loaded = await loadDataset(
    { name, train, test, attack: 1 },
    { dir: process.env.FUNNEL_DATA ?? null },
  );
  const hash = createHash('sha256');
  const content = { shape: [...shape] as [number, number, number], classes: [...classes] };
  for (const piece of canonicalPieces(content, { train: await loaded.train(), test: await loaded.test() }))
    hash.update(piece);
  return hash.digest('hex');
};

describe('the canonical form of a built-in data set has the declared digest', () => {
  it.each(['glyphs', 'glyphs-colour'] as const)('%s', async (name) => {
    expect(await digestOf(name)).toBe(datasets[name].content);
  });

  const data = { dir: process.env.FUNNEL_DATA ?? null };
  for (const name of ['mnist', 'fashion-mnist'] as const)
    it.skipIf(findDataset(name, data) === null)(`${name}, from FUNNEL_DATA`, async () => {
      expect(await digestOf(name)).toBe(datasets[name].content);
    });
});
