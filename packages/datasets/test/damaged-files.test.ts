/** Files with random damage: each is read, or refused in a sentence. Nothing else happens. */
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { DatasetFault } from '../src/fault.ts';
import { defaultOptions } from '../src/options.ts';
import { readDataset } from '../src/read-dataset.ts';
import {
  idxFile,
  makeRows,
  npyFile,
  parquetFile,
  pngFile,
  writeFiles,
  zipFile,
} from './support/make-files.ts';
import { maxBytes, newFolder } from './support/temporary.ts';

/** Numbers in [0, 1), by a multiplication modulo 2^31 − 1 (Lehmer, 16807). */
const createRandom = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
};

/** Changes up to eight bytes, cuts the file off, or repeats a part. */
const damage = (file: Uint8Array, random: () => number): Buffer => {
  const copy = Buffer.from(file);
  const at = Math.floor(random() * copy.length);
  const kind = random();
  if (kind < 0.1) return copy.subarray(0, at);
  if (kind < 0.2) return Buffer.concat([copy.subarray(0, at), copy.subarray(Math.floor(at / 2))]);
  const times = 1 + Math.floor(random() * 8);
  for (let i = 0; i < times; i++) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
  return copy;
};

const rows = makeRows(6, [6, 8, 3]);
const pictures = rows.labels.map((_, i) => pngFile(rows, i));
const jpegs = await Promise.all(pictures.map((png) => sharp(png).jpeg({ progressive: true }).toBuffer()));
const numbers = Uint8Array.from(rows.labels);
const parquet = parquetFile(pictures, rows.labels.map(BigInt), { names: ['a', 'b'] });

/** The files of a data set, the first of which is damaged. */
const forms: Readonly<Record<string, Readonly<Record<string, Uint8Array>>>> = {
  IDX: {
    'train-images-idx4-ubyte': idxFile([6, 6, 8, 3], rows.pixels),
    'train-labels-idx1-ubyte': idxFile([6], numbers),
  },
  'IDX, gzipped': {
    'train-images-idx4-ubyte.gz': gzipSync(idxFile([6, 6, 8, 3], rows.pixels)),
    'train-labels-idx1-ubyte': idxFile([6], numbers),
  },
  NPZ: {
    'a.npz': zipFile(
      { 'x.npy': npyFile([6, 6, 8, 3], rows.pixels), 'y.npy': npyFile([6], numbers) },
      { deflated: true },
    ),
  },
  PNG: Object.fromEntries(pictures.map((png, i) => [`${rows.labels[i]}/${i}.png`, png])),
  JPEG: Object.fromEntries(jpegs.map((jpeg, i) => [`${rows.labels[i]}/${i}.jpg`, jpeg])),
  Parquet: { 'a.parquet': parquet },
};

it.each(Object.entries(forms))('%s with forty kinds of damage', async (name, files) => {
  const random = createRandom(1 + deflateSync(name).length);
  const [first, content] = Object.entries(files)[0]!;
  const outcomes = new Set<string>();
  for (let i = 0; i < 40; i++) {
    const folder = writeFiles(newFolder(), { ...files, [first]: damage(content, random) });
    const path = first.includes('/') || name.startsWith('IDX') ? folder : join(folder, first);
    const request = { path, folder: newFolder(), maxBytes, options: defaultOptions };
    const error = await readDataset(request).then(
      () => null,
      (reason: unknown) => reason,
    );
    if (error !== null) expect(error, (error as Error).stack).toBeInstanceOf(DatasetFault);
    outcomes.add(error === null ? 'read' : 'refused');
  }
  expect(outcomes).toContain('refused');
});
