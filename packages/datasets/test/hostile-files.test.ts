/** Hostile files are refused in a sentence with the file and the place. Nothing is left behind, and memory stays small. */
import { expect, it } from 'vitest';
import { DatasetFault } from '../src/fault.ts';
import { defaultOptions } from '../src/options.ts';
import { readDataset } from '../src/read-dataset.ts';
import { hostileArrays } from './support/hostile-arrays.ts';
import { hostilePictures } from './support/hostile-pictures.ts';
import { maxBytes, namesIn, newFolder } from './support/temporary.ts';

const cases = [...hostileArrays, ...hostilePictures];

it('there are more than a hundred, and each has its own name', () => {
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  expect(cases.length).toBeGreaterThan(100);
});

it.each(cases)('refuses $name', async ({ make, options, says }) => {
  const path = make(newFolder());
  const before = process.memoryUsage.rss();
  const folder = newFolder();
  const reading = readDataset({ path, folder, maxBytes, options: { ...defaultOptions, ...options } });
  const error = await reading.then(
    () => expect.fail('the files were read'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DatasetFault);
  expect((error as Error).message).toMatch(says);
  expect(namesIn(folder)).toEqual([]);
  expect(process.memoryUsage.rss() - before).toBeLessThan(150 * 2 ** 20);
});
