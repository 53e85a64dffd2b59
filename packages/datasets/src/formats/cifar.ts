/**
 * The binary version of CIFAR-10: records of one byte for the label and 3,072 bytes for the image, [3, 32, 32].
 * The format: https://www.cs.toronto.edu/~kriz/cifar.html
 */
import { join } from 'node:path';
import { refuseFile } from '../fault.ts';
import { readBlocks, readWhole, withFile } from '../files.ts';
import { channelsLast, wholeImages } from '../images/blocks.ts';
import type { Format, Found, Part } from '../source.ts';

const shape = [32, 32, 3] as const;
const imageBytes = 32 * 32 * 3;
const recordBytes = 1 + imageBytes;
/** The names in `batches.meta.txt`, which the archive has beside the batches. */
const officialClasses: readonly string[] =
  'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');
const metaName = 'batches.meta.txt';
const maxMetaBytes = 65_536;

const trainBatch = /^data_batch_(\d+)\.bin$/;
const numberOf = (name: string): number => Number(trainBatch.exec(name)?.[1]);

/** The number of images in a batch. */
const countOf = async (path: string): Promise<number> => {
  const { bytes } = await withFile(path, async (file) => file);
  if (bytes === 0 || bytes % recordBytes !== 0)
    refuseFile(
      path,
      `expected records of ${recordBytes} bytes, a label and an image each, but its ${bytes} bytes end within record ${Math.floor(bytes / recordBytes)}`,
    );
  return bytes / recordBytes;
};

type Batch = { readonly path: string; readonly count: number; readonly first: number };

async function* recordsOf(batches: readonly Batch[]): AsyncGenerator<Uint8Array> {
  for (const { path, count } of batches) yield* wholeImages(path, readBlocks(path), recordBytes, count);
}

/** Records [n, 1 + 3072] → images [n, 32, 32, 3]. */
const imagesIn = (records: Uint8Array): Uint8Array => {
  const count = records.length / recordBytes;
  const planes = new Uint8Array(count * imageBytes);
  for (let i = 0; i < count; i++)
    planes.set(records.subarray(i * recordBytes + 1, (i + 1) * recordBytes), i * imageBytes);
  return channelsLast(planes, shape);
};

const readPart = async (folder: string, names: readonly string[]): Promise<Part> => {
  const batches: Batch[] = [];
  let first = 0;
  for (const name of names) {
    const path = join(folder, name);
    const count = await countOf(path);
    batches.push({ path, count, first });
    first += count;
  }
  const labels: number[] = [];
  for await (const records of recordsOf(batches))
    for (let at = 0; at < records.length; at += recordBytes) labels.push(records[at]!);
  return {
    labels,
    placeOf: (index) => {
      const batch = batches.findLast((each) => each.first <= index)!;
      return `${batch.path}, record ${index - batch.first}`;
    },
    images: {
      kind: 'pixels',
      path: folder,
      shape,
      blocks: async function* () {
        for await (const records of recordsOf(batches)) yield imagesIn(records);
      },
    },
  };
};

const classesIn = async ({ folder, files }: Found): Promise<readonly string[]> => {
  if (!files.includes(metaName)) return officialClasses;
  const text = (await readWhole(join(folder, metaName), maxMetaBytes)).toString('utf8');
  return text.split(/\r?\n/).filter((line) => line.trim() !== '');
};

export const cifar: Format = {
  title: 'CIFAR-10 binary batches',
  looksLike: 'a folder with data_batch_1.bin (CIFAR-10, binary version, unpacked)',
  recognises: ({ files }) => files.some((name) => trainBatch.test(name)),
  open: async (found) => {
    const names = found.files.filter((name) => trainBatch.test(name));
    return {
      train: await readPart(
        found.folder,
        names.sort((a, b) => numberOf(a) - numberOf(b)),
      ),
      test: found.files.includes('test_batch.bin') ? await readPart(found.folder, ['test_batch.bin']) : null,
      classes: await classesIn(found),
      notes: [],
    };
  },
};
