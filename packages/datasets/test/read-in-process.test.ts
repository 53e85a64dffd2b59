/** The reading process: its answer, its limits, and what is left when it ends early. */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { defaultOptions, readInProcess } from '../src/index.ts';
import { idxFile, makeRows, writeFiles } from './support/make-files.ts';
import { maxBytes, namesIn, newFolder } from './support/temporary.ts';

const rows = makeRows(50, [40, 40, 1], 5);
const files = writeFiles(newFolder(), {
  'train-images-idx3-ubyte': idxFile([50, 40, 40], rows.pixels),
  'train-labels-idx1-ubyte': idxFile([50], Uint8Array.from(rows.labels)),
});
const request = () => ({ path: files, folder: newFolder(), maxBytes, options: defaultOptions });
const generous = { bytes: 2 ** 30, seconds: 100 };

it('writes the canonical file under its digest, and nothing else', async () => {
  const asked = request();
  const { digest, file, content, sheet } = await readInProcess(asked, { limits: generous });
  expect(namesIn(asked.folder)).toEqual([`${digest}.bin`]);
  expect(createHash('sha256').update(readFileSync(file)).digest('hex')).toBe(digest);
  expect(content).toEqual({ shape: [40, 40, 1], classes: ['0', '1', '2', '3', '4'], train: 40, test: 10 });
  expect(Buffer.from(sheet).subarray(1, 4).toString()).toBe('PNG');
});

it('refuses in words of the reader, and leaves nothing', async () => {
  const asked = { ...request(), maxBytes: 1000 };
  await expect(readInProcess(asked, { limits: generous })).rejects.toThrow(
    /expected a data set of at most 1000 bytes, but got 80\d\d\d/,
  );
  expect(namesIn(asked.folder)).toEqual([]);
});

it('ends a process that needs more memory than the limit', async () => {
  const asked = request();
  await expect(readInProcess(asked, { limits: { bytes: 2 ** 24, seconds: 100 } })).rejects.toThrow(
    /can be read with 16 MiB of memory, but it needs more before the first image. Nothing was written/,
  );
  expect(namesIn(asked.folder)).toEqual([]);
});

it('ends a process that makes no progress', async () => {
  const asked = request();
  await expect(readInProcess(asked, { limits: { bytes: 2 ** 30, seconds: 0.001 } })).rejects.toThrow(
    /with progress at least every 0.001 s, but the reading stopped before the first image/,
  );
  expect(namesIn(asked.folder)).toEqual([]);
});

it('ends with its caller’s signal', async () => {
  const asked = request();
  const abortion = new AbortController();
  const reading = readInProcess(asked, { limits: generous, signal: abortion.signal });
  abortion.abort(new Error('enough'));
  await expect(reading).rejects.toThrow('enough');
  expect(existsSync(asked.folder)).toBe(true);
  expect(namesIn(asked.folder)).toEqual([]);
});
