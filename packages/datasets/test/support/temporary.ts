/** A folder of the test, and data sets that are read into it. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DatasetContent, datasetLayout } from '@funnel/contracts';
import { afterAll } from 'vitest';
import { defaultOptions, type ReadOptions } from '../../src/options.ts';
import { type ReadDataset, readDataset } from '../../src/read-dataset.ts';

const root = mkdtempSync(join(tmpdir(), 'funnel-datasets-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
/** A new, empty folder. */
export const newFolder = (): string => {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  return folder;
};

export const maxBytes = 2 ** 28;

/** Reads in this process. */
export const read = (path: string, options: Partial<ReadOptions> = {}): Promise<ReadDataset> =>
  readDataset({ path, folder: newFolder(), maxBytes, options: { ...defaultOptions, ...options } });

export type Split = { readonly labels: readonly number[]; readonly images: readonly (readonly number[])[] };

const splitOf = (bytes: Buffer, content: DatasetContent, split: 'train' | 'test'): Split => {
  const { labels, pixels, imageBytes } = datasetLayout(content);
  const count = content[split];
  return {
    labels: Array.from({ length: count }, (_, i) => bytes.readUInt16LE(labels[split] + 2 * i)),
    images: Array.from({ length: count }, (_, i) => [
      ...bytes.subarray(pixels[split] + i * imageBytes, pixels[split] + (i + 1) * imageBytes),
    ]),
  };
};

/** What a canonical file holds. */
export const contentOf = ({
  file,
  content,
}: ReadDataset): { readonly train: Split; readonly test: Split } => {
  const bytes = readFileSync(file);
  return { train: splitOf(bytes, content, 'train'), test: splitOf(bytes, content, 'test') };
};

export const namesIn = (folder: string): readonly string[] => readdirSync(folder);
