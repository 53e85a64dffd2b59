import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { AppError, type DatasetFile } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { checkSplit, parseIdx, unpackFile } from '../../src/datasets/idx.ts';

/** An IDX file of bytes. */
const idx = (
  dims: readonly number[],
  values: readonly number[],
  magic = 0x0800 + dims.length,
): Uint8Array => {
  const bytes = Buffer.alloc(4 + 4 * dims.length + values.length);
  bytes.writeUInt32BE(magic, 0);
  for (const [i, dim] of dims.entries()) bytes.writeUInt32BE(dim, 4 + 4 * i);
  bytes.set(values, 4 + 4 * dims.length);
  return bytes;
};

/** A file of which every byte was kept. */
const whole = (bytes: Uint8Array) => ({ bytes, length: bytes.length });

const declared = (name: string, bytes: Uint8Array): DatasetFile => ({
  name,
  bytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});

const corrupt = (message: RegExp) =>
  expect.objectContaining({ code: 'DATASET_CORRUPT', message: expect.stringMatching(message) as string });

/** The error that `refuse` throws, or with which its promise rejects. */
const thrown = async (refuse: () => unknown): Promise<unknown> => {
  try {
    await refuse();
  } catch (error) {
    return error;
  }
  throw new Error('Expected a refusal');
};

describe('parseIdx', () => {
  it('reads dimensions and values', () => {
    const { dims, values } = parseIdx('a', whole(idx([2, 1, 3], [1, 2, 3, 4, 5, 6])), 3);
    expect(dims).toEqual([2, 1, 3]);
    expect([...values]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each([
    [
      'another magic number',
      idx([2], [1, 2], 0x0d01),
      /file-x .* magic number 0x00000801, but found 0x00000d01/,
    ],
    ['another rank', idx([1, 1, 1], [1]), /file-x .* 0x00000801, but found 0x00000803/],
    ['too few values', idx([3], [1, 2]), /file-x .* 11 bytes for dimensions 3, but found 10/],
    ['too many values', idx([1], [1, 2]), /file-x .* 9 bytes for dimensions 1, but found 10/],
    ['less than a header', new Uint8Array(5), /file-x .* header of 8 bytes, but found 5/],
  ])(
    'refuses a file with %s, and says its name, what was expected and what was found',
    async (_, bytes, message) => {
      expect(await thrown(() => parseIdx('file-x', whole(bytes), 1))).toEqual(corrupt(message));
    },
  );
});

describe('unpackFile', () => {
  const content = idx([4], [1, 2, 3, 4]);
  const file = declared('labels.gz', content);

  it('answers the content, whatever the compression level', async () => {
    for (const level of [1, 9])
      expect(await unpackFile('p', [gzipSync(content, { level })], [file])).toEqual({
        bytes: new Uint8Array(content),
        length: content.length,
      });
  });

  it('keeps the first bytes only, and checks all', async () => {
    const { bytes, length } = await unpackFile('p', [gzipSync(content)], [file], 10);
    expect([...bytes]).toEqual([...content.subarray(0, 10)]);
    expect(bytes.buffer.byteLength).toBe(10);
    expect(length).toBe(12);
    expect(parseIdx('p', { bytes, length }, 1)).toEqual({ dims: [4], values: Uint8Array.of(1, 2) });
    const other = [gzipSync(idx([4], [1, 2, 3, 5]))];
    expect(await thrown(() => unpackFile('p', other, [file], 10))).toEqual(corrupt(/the sha-256/));
  });

  it('takes the one of several declared files that has this length', async () => {
    const larger = declared('labels.gz', idx([5], [1, 2, 3, 4, 5]));
    expect((await unpackFile('p', [gzipSync(content)], [larger, file])).length).toBe(12);
  });

  it('refuses a truncated file', async () => {
    const zipped = gzipSync(content);
    expect(await thrown(() => unpackFile('p', [zipped.subarray(0, -5)], [file]))).toEqual(
      corrupt(/p to be a whole gzip file/),
    );
  });

  it('refuses a changed file and says both digests', async () => {
    const other = idx([4], [1, 2, 3, 5]);
    const error = await thrown(() => unpackFile('p', [gzipSync(other)], [file]));
    expect(error).toEqual(corrupt(new RegExp(`p .* ${file.sha256} .* ${declared('', other).sha256}`)));
    expect(error).toBeInstanceOf(AppError);
  });

  it('refuses another length', async () => {
    expect(await thrown(() => unpackFile('p', [gzipSync(idx([5], [1, 2, 3, 4, 5]))], [file]))).toEqual(
      corrupt(/p .* 12 bytes after gunzip, but found more/),
    );
  });
});

describe('checkSplit', () => {
  const names = { images: 'images.gz', labels: 'labels.gz' };
  const images = { dims: [2, 1, 1], values: new Uint8Array(2) };
  const expected = { count: 2, shape: [1, 1, 1], classes: 3 };
  const labels = (...values: number[]) => ({ dims: [values.length], values: Uint8Array.from(values) });

  it('accepts as many labels in range as images', () => {
    expect(() => checkSplit(names, images, labels(0, 2), expected)).not.toThrow();
  });

  it.each([
    ['a label out of range', images, labels(0, 3), /labels.gz .* below 3, but found 3 at 1/],
    ['too few labels', images, labels(0), /labels.gz .* 2 labels, but found 1/],
    [
      'images of another size',
      { dims: [2, 1, 2], values: new Uint8Array(4) },
      labels(0, 1),
      /images.gz .* 2×1×1, but found 2×1×2/,
    ],
  ])('refuses %s', async (_, pixels, classes, message) => {
    expect(await thrown(() => checkSplit(names, pixels, classes, expected))).toEqual(corrupt(message));
  });
});
