/** A data set in canonical form (`dataset-content.ts` of contracts) as a file: reading it, checking it, and making it from two splits. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { AppError, DatasetContent, type DatasetLayout, datasetLayout } from '@funnel/contracts';
import { fileSplit } from './file-split.ts';
import { heldBytes, maxMemoryBytes, memorySplit, partsOf, type Split, type SplitName } from './split.ts';

export type CanonicalFile = {
  readonly path: string;
  readonly content: DatasetContent;
  readonly layout: DatasetLayout;
};

/** A thousand names of classes of a hundred letters each need less. */
const maxHeaderBytes = 2 ** 20;

const corrupt = (what: string, expected: string, found: string): AppError =>
  new AppError('DATASET_CORRUPT', `Expected ${what} to have ${expected}, but found ${found}`, {
    expected,
    found,
  });

/** The header at the beginning of a canonical form. Throws DATASET_CORRUPT, which names `what` the bytes are of. */
export const readHeader = (what: string, bytes: Uint8Array): DatasetContent => {
  const end = bytes.subarray(0, maxHeaderBytes).indexOf(0x0a);
  const header = new TextDecoder().decode(bytes.subarray(0, end + 1));
  let content: DatasetContent;
  try {
    content = DatasetContent.parse(JSON.parse(header));
  } catch (error) {
    throw corrupt(
      what,
      'a header that says shape, classes and counts',
      error instanceof Error ? error.message : String(error),
    );
  }
  const expected = datasetLayout(content).header;
  if (header !== expected) throw corrupt(what, `the header ${expected.trim()}`, header.trim());
  return content;
};

/** Bytes of one read. The system reads at most 2 GiB at a time. */
const readBytes = 2 ** 26;

/** `length` bytes from `position` on; fewer where the file ends. */
const readAt = async (file: FileHandle, position: number, length: number): Promise<Uint8Array> => {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await file.read(bytes, at, Math.min(readBytes, length - at), position + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
};

/** Reads the header of a file, and compares the size of the file with it. Throws DATASET_CORRUPT. */
export const openCanonical = async (path: string): Promise<CanonicalFile> => {
  const file = await open(path, 'r');
  try {
    const content = readHeader(path, await readAt(file, 0, maxHeaderBytes));
    const layout = datasetLayout(content);
    const { size } = await file.stat();
    if (size !== layout.bytes) throw corrupt(path, `${layout.bytes} bytes`, `${size}`);
    return { path, content, layout };
  } finally {
    await file.close();
  }
};

/** Size and time of change of each file whose content this process has checked. */
const checked = new Map<string, string>();

/** Reads a file whole, unless this process has done so since its last change. Throws DATASET_CORRUPT where its SHA-256 is not `digest`. */
export const checkDigest = async (path: string, digest: string): Promise<void> => {
  const { size, mtimeMs } = await stat(path);
  const state = `${digest} ${size} ${mtimeMs}`;
  if (checked.get(path) === state) return;
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(bytes as Buffer);
  const found = hash.digest('hex');
  if (found !== digest) throw corrupt(path, `the sha-256 ${digest}`, found);
  checked.set(path, state);
};

/** Labels of 16 bits, little-endian. */
const labelsOf = (bytes: Uint8Array): Uint16Array =>
  Uint16Array.from({ length: bytes.length / 2 }, (_, i) => bytes[2 * i]! + 256 * bytes[2 * i + 1]!);

/** The first `count` images of a split. Throws DATASET_CORRUPT, and DATASET_MISSING where the split has fewer. */
export const readCanonicalSplit = async (
  { path, content, layout }: CanonicalFile,
  split: SplitName,
  count: number,
  maxBytes = maxMemoryBytes,
): Promise<Split> => {
  if (count > content[split])
    throw new AppError(
      'DATASET_MISSING',
      `Expected ${count} ${split} images in ${path}, but it has ${content[split]}`,
      { split, expected: count, found: content[split] },
    );
  const file = await open(path, 'r');
  try {
    const labels = labelsOf(await readAt(file, layout.labels[split], 2 * count));
    const wrong = labels.findIndex((label) => label >= content.classes.length);
    if (wrong >= 0)
      throw corrupt(path, `labels below ${content.classes.length}`, `${labels[wrong]} at ${wrong}`);
    const place = { path, offset: layout.pixels[split], shape: content.shape, labels };
    const bytes = heldBytes(content.shape, count, maxBytes);
    if (bytes === 0) return fileSplit(place);
    return memorySplit(content.shape, await readAt(file, place.offset, bytes), labels);
  } finally {
    await file.close();
  }
};

/** Images whose bytes are in memory at a time when a canonical form is made. */
const imagesPerPiece = 1000;

/** The canonical form of two splits, piece by piece. */
export function* canonicalPieces(
  { shape, classes }: Pick<DatasetContent, 'shape' | 'classes'>,
  { train, test }: Readonly<Record<SplitName, Split>>,
): Generator<Uint8Array, void, undefined> {
  const { header } = datasetLayout({ shape, classes, train: train.count, test: test.count });
  yield new TextEncoder().encode(header);
  for (const { labels } of [train, test]) {
    yield Uint8Array.from({ length: 2 * labels.length }, (_, i) => labels[i >> 1]! >> (8 * (i & 1)));
  }
  for (const split of [train, test])
    for (const part of partsOf(split, imagesPerPiece)) yield split.read(part);
}
