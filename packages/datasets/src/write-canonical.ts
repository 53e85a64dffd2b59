/**
 * Writes the canonical form of a data set (packages/contracts/src/dataset-content.ts) beside its final name. The images come in the order of
 * the files, and each goes to its place in its split.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { type DatasetContent, type DatasetLayout, datasetLayout } from '@funnel/contracts';

/** Images of one part of the source, in order. */
export type Images = {
  /** Bytes [n, …shape] in blocks of whole images. */
  readonly blocks: AsyncIterable<Uint8Array>;
  /** Labels, indices of the classes. */
  readonly labels: Uint16Array;
  /** Whether an image is a test image. */
  readonly isTest: (index: number) => boolean;
};

/** Writes images one after another, several at once where they are neighbours in the file. */
const placeImages = async (
  file: FileHandle,
  layout: DatasetLayout,
  parts: readonly Images[],
  onImages: (count: number) => void,
): Promise<void> => {
  const next = { train: layout.pixels.train, test: layout.pixels.test };
  const { imageBytes } = layout;
  for (const { blocks, isTest } of parts) {
    let index = 0;
    for await (const block of blocks) {
      const count = block.length / imageBytes;
      for (let from = 0; from < count; ) {
        const split = isTest(index + from) ? 'test' : 'train';
        let to = from + 1;
        while (to < count && isTest(index + to) === (split === 'test')) to++;
        await writeAll(file, block.subarray(from * imageBytes, to * imageBytes), next[split]);
        next[split] += (to - from) * imageBytes;
        from = to;
      }
      index += count;
      onImages(count);
    }
  }
};

const writeAll = async (file: FileHandle, bytes: Uint8Array, at: number): Promise<void> => {
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
};

/** The labels of a split as 16 bits each, little-endian. */
const labelBytes = (parts: readonly Images[], test: boolean, count: number): Uint8Array => {
  const bytes = new Uint8Array(2 * count);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { labels, isTest } of parts)
    for (let i = 0; i < labels.length; i++) {
      if (isTest(i) !== test) continue;
      view.setUint16(at, labels[i]!, true);
      at += 2;
    }
  return bytes;
};

/**
 * Writes a new file at `path`. The parts must have as many images as `content` says. `onImages` is called for every block of images. Leaves a
 * part of the file behind if it throws.
 */
export const writeCanonical = async (
  path: string,
  content: DatasetContent,
  parts: readonly Images[],
  onImages: (count: number) => void = () => {},
): Promise<void> => {
  const layout = datasetLayout(content);
  const file = await open(path, 'wx');
  try {
    await writeAll(file, new TextEncoder().encode(layout.header), 0);
    await writeAll(file, labelBytes(parts, false, content.train), layout.labels.train);
    await writeAll(file, labelBytes(parts, true, content.test), layout.labels.test);
    await placeImages(file, layout, parts, onImages);
  } finally {
    await file.close();
  }
};
