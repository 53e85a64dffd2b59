/** Streams of bytes: their beginning, the rest, and whole images. */
import { refuseFile } from '../fault.ts';

/** The first `bytes` bytes of a stream, or all if there are fewer. */
export const firstBytes = async (blocks: AsyncIterable<Uint8Array>, bytes: number): Promise<Buffer> => {
  let start: Buffer = Buffer.alloc(0);
  for await (const block of blocks) {
    start = Buffer.concat([start, block.subarray(0, bytes)]);
    if (start.length >= bytes) break;
  }
  return start.subarray(0, bytes);
};

/** A stream without its first `bytes` bytes. */
export async function* skipBytes(
  blocks: AsyncIterable<Uint8Array>,
  bytes: number,
): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const block of blocks) {
    if (block.length > left) yield block.subarray(left);
    left = Math.max(0, left - block.length);
  }
}

/**
 * Gives the bytes of `blocks` in blocks of whole images of `imageBytes` bytes each. Throws DatasetFault if there are not exactly `count`
 * images.
 */
export async function* wholeImages(
  path: string,
  blocks: AsyncIterable<Uint8Array>,
  imageBytes: number,
  count: number,
): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0);
  let done = 0;
  const expected = count * imageBytes;
  for await (const block of blocks) {
    const bytes = rest.length === 0 ? block : Buffer.concat([rest, block]);
    if (done + bytes.length > expected)
      refuseFile(path, `expected ${expected} bytes of ${count} images, but got more`);
    const whole = bytes.length - (bytes.length % imageBytes);
    if (whole > 0) yield bytes.subarray(0, whole);
    done += whole;
    rest = bytes.subarray(whole);
  }
  if (done < expected)
    refuseFile(
      path,
      `expected ${expected} bytes of ${count} images, but got ${done + rest.length}: it is cut off in image ${done / imageBytes}`,
    );
}

/** Planes [n, channels, height, width] → pixels [n, height, width, channels]. */
export const channelsLast = (
  planes: Uint8Array,
  [height, width, channels]: readonly [number, number, number],
): Uint8Array => {
  const plane = height * width;
  const size = plane * channels;
  const pixels = new Uint8Array(planes.length);
  for (let image = 0; image < planes.length; image += size)
    for (let channel = 0; channel < channels; channel++)
      for (let at = 0; at < plane; at++)
        pixels[image + at * channels + channel] = planes[image + channel * plane + at]!;
  return pixels;
};
