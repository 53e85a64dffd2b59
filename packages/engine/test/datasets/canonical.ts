/** Small data sets in canonical form for tests, in memory and as files. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatasetContent } from '@funnel/contracts';
import { onTestFinished } from 'vitest';
import { canonicalPieces } from '../../src/datasets/canonical-file.ts';
import { cachedFile, cacheFolder } from '../../src/datasets/dataset-cache.ts';
import { imageBytes, memorySplit, type Split } from '../../src/datasets/split.ts';
import { createRandom } from '../../src/random.ts';

export type Made = {
  readonly digest: string;
  readonly bytes: Uint8Array;
  readonly train: Split;
  readonly test: Split;
  readonly content: DatasetContent;
};

/** Random images in three classes, which take turns. `seed`: another one gives other images. */
export const makeCanonical = (
  shape: DatasetContent['shape'],
  counts: { readonly train: number; readonly test: number },
  seed = 0,
): Made => {
  const classes = ['cat', 'dog', 'bird'];
  const splitOf = (split: 'train' | 'test'): Split => {
    const random = createRandom(seed, split);
    const images = new Uint8Array(counts[split] * imageBytes(shape)).map(() => random.bits());
    return memorySplit(
      shape,
      images,
      Array.from({ length: counts[split] }, (_, i) => i % classes.length),
    );
  };
  const splits = { train: splitOf('train'), test: splitOf('test') };
  const bytes = Buffer.concat([...canonicalPieces({ shape, classes }, splits)]);
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { digest, bytes, ...splits, content: { shape, classes, ...counts } };
};

/** A new folder, removed after the test. */
export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'funnel-datasets-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

/** Writes a data set to the cache of a FUNNEL_HOME. Answers the path of its file. */
export const cacheCanonical = (home: string, { digest, bytes }: Made): string => {
  const folder = cacheFolder({ home });
  mkdirSync(folder, { recursive: true });
  const path = cachedFile(folder, digest);
  writeFileSync(path, bytes);
  return path;
};
