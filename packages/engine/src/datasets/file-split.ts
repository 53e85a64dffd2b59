/** A split that stays in its file. Each batch is read by rows, and the next one while this one trains. */
import { closeSync, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { AppError } from '@funnel/contracts';
import { imageBytes, runsOf, type Split } from './split.ts';

const readLater = promisify(read);

type Place = {
  readonly path: string;
  /** Where the first image begins, in bytes. */
  readonly offset: number;
  readonly shape: Split['shape'];
  readonly labels: Uint16Array;
};

type Batch = { readonly indices: Uint32Array; readonly bytes: Uint8Array; isUsed: boolean };

/** The batch that trains, and the next one. */
const keptBatches = 2;

/** A stage that trains on codes asks for no images: after two batches that nobody read, no more are read ahead. */
const areUnused = (kept: readonly Batch[]): boolean =>
  kept.length === keptBatches && kept.every(({ isUsed }) => !isUsed);

/** Where the bytes of a stretch of images are: in the batch, and in the file. */
type Stretch = { readonly from: number; readonly length: number; readonly position: number };

const isSame = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};

/** The images of a file, which begin at `offset`, one after the other: [labels.length, …shape], bytes. */
export const fileSplit = ({ path, offset, shape, labels }: Place): Split => {
  const size = imageBytes(shape);
  const file = openSync(path, 'r');
  let kept: readonly Batch[] = []; // the newest first

  const stretchesOf = (indices: ArrayLike<number>): readonly Stretch[] =>
    runsOf(indices).map(({ at, index, count }) => ({
      from: at * size,
      length: count * size,
      position: offset + index * size,
    }));
  /** The rest of a stretch, after some of its bytes were read. The system may give fewer bytes than asked for. */
  const after = ({ from, length, position }: Stretch, done: number): Stretch => {
    if (done === 0)
      throw new AppError(
        'DATASET_CORRUPT',
        `Expected bytes at ${position} of ${path}, but the file ends before`,
        {
          file: path,
        },
      );
    return { from: from + done, length: length - done, position: position + done };
  };

  const readNow = (bytes: Uint8Array, stretch: Stretch): void => {
    for (let rest = stretch; rest.length > 0; )
      rest = after(rest, readSync(file, bytes, rest.from, rest.length, rest.position));
  };
  const readAhead = async (bytes: Uint8Array, stretch: Stretch): Promise<void> => {
    for (let rest = stretch; rest.length > 0; ) {
      const { bytesRead } = await readLater(file, bytes, rest.from, rest.length, rest.position);
      rest = after(rest, bytesRead);
    }
  };

  return {
    count: labels.length,
    shape,
    labels,
    read: (indices) => {
      const found = kept.find((batch) => isSame(batch.indices, indices));
      if (found) {
        found.isUsed = true;
        return found.bytes;
      }
      const bytes = new Uint8Array(indices.length * size);
      for (const stretch of stretchesOf(indices)) readNow(bytes, stretch);
      return bytes;
    },
    prefetch: async (indices) => {
      if (areUnused(kept) || kept.some((batch) => isSame(batch.indices, indices))) return;
      const bytes = new Uint8Array(indices.length * size);
      const batch: Batch = { indices: Uint32Array.from(indices), bytes, isUsed: false };
      try {
        // All reads are in the queue of the thread pool at once. So they go on while a training step blocks the event loop.
        await Promise.all(stretchesOf(indices).map((stretch) => readAhead(bytes, stretch)));
        kept = [batch, ...kept].slice(0, keptBatches);
      } catch {
        // `read` finds no such batch, reads by itself, and throws
      }
    },
    close: () => closeSync(file),
  };
};
