/** One PNG file as red, green and blue. */
import { readFileSync, statSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { refuseFile } from '@funnel/datasets';
import type { DecodedPng } from 'fast-png';

export type Picture = {
  readonly width: number;
  readonly height: number;
  /** `[height, width, 3]` in [0, 1]; grey pixels have three equal values. */
  readonly rgb: Float32Array;
};

const maxPixels = 2 ** 24;
/** A pixel needs at most 8 bytes: two each for red, green, blue and alpha. The rest may be text and profiles. */
const maxBytes = (pixels: number): number => 8 * pixels + 2 ** 20;

/** An ICC profile is a few kilobytes long; large ones have tables. */
const maxProfileBytes = 4 * 2 ** 20;
/** 8 bytes per pixel, and two bytes for each row of the seven images of an interlaced one, which have fewer than twice as many rows. */
const maxSampleBytes = (pixels: number, height: number): number => 8 * pixels + 4 * height + 64;

/** The contents of all chunks of a type, in order. A chunk has a length, a type of four letters, its content, and a checksum. */
const chunksOf = (file: Buffer, type: string): readonly Buffer[] => {
  const found: Buffer[] = [];
  for (let at = 8; at + 12 <= file.length; ) {
    const end = at + 8 + file.readUInt32BE(at);
    if (file.toString('latin1', at + 4, at + 8) === type) found.push(file.subarray(at + 8, end));
    at = end + 4;
  }
  return found;
};

/** Whether compressed bytes unpack to more than `limit` bytes. The decoder would unpack all of them into memory. */
const isBomb = (packed: Uint8Array, limit: number): boolean => {
  try {
    inflateSync(packed, { maxOutputLength: limit });
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'; // the decoder says other faults in words
  }
};

const refuseBombs = (path: string, file: Buffer, pixels: number, height: number): void => {
  const samples = maxSampleBytes(pixels, height);
  if (isBomb(Buffer.concat(chunksOf(file, 'IDAT')), samples))
    refuseFile(path, `expected at most ${samples} bytes of pixels after decompression, but got more`);
  for (const chunk of chunksOf(file, 'iCCP'))
    if (isBomb(chunk.subarray(chunk.indexOf(0) + 2), maxProfileBytes))
      refuseFile(path, `expected a colour profile of at most ${maxProfileBytes} bytes, but got more`);
};

/** Checks a file before it costs memory. Throws DatasetFault for a file that is no PNG, is too large, or would be decoded wrongly. */
const readFile = (path: string): Buffer => {
  if (!statSync(path).isFile() || statSync(path).size > maxBytes(maxPixels))
    return refuseFile(path, `expected a PNG file of at most ${maxBytes(maxPixels)} bytes`);
  const file = readFileSync(path);
  if (
    file.length < 33 ||
    file.toString('latin1', 1, 4) !== 'PNG' ||
    file.toString('latin1', 12, 16) !== 'IHDR'
  )
    return refuseFile(path, 'expected a PNG file, but its first bytes are others');
  const [width, height, depth, interlace] = [
    file.readUInt32BE(16),
    file.readUInt32BE(20),
    file[24]!,
    file[28]!,
  ];
  const pixels = width * height;
  if (pixels === 0 || pixels > maxPixels || file.length > maxBytes(pixels))
    return refuseFile(
      path,
      `expected 1 to ${maxPixels} pixels in at most ${maxBytes(pixels)} bytes, but got ${width} × ${height} pixels in ${file.length} bytes`,
    );
  // fast-png 8.0 takes the packed samples of an interlaced image for whole bytes.
  if (interlace !== 0 && depth < 8)
    return refuseFile(
      path,
      `expected 8 bits per sample in an interlaced image, but got ${depth}: save it without interlacing`,
    );
  refuseBombs(path, file, pixels, height);
  return file;
};

/** Returns a function that gives a sample from 0 to 2^depth − 1. Depths below 8 are packed, and each row begins at a byte. */
const samplesOf = ({ data, depth, width, channels }: DecodedPng) => {
  if (depth >= 8)
    return (y: number, x: number, channel: number) => data[(y * width + x) * channels + channel]!;
  const rowBytes = Math.ceil((width * depth) / 8);
  return (y: number, x: number) =>
    (data[y * rowBytes + ((x * depth) >> 3)]! >> (8 - depth - ((x * depth) & 7))) & (2 ** depth - 1);
};

/** Returns a function that gives red, green, blue and alpha, each from 0 to `white`. */
const pixelsOf = (png: DecodedPng) => {
  const { channels, depth, palette } = png;
  const sample = samplesOf(png);
  const white = palette ? 255 : 2 ** depth - 1;
  const pixel = (y: number, x: number): readonly number[] => {
    if (palette) return palette[sample(y, x, 0)] ?? [];
    const values = Array.from({ length: channels }, (_, channel) => sample(y, x, channel));
    return channels < 3 ? [values[0]!, values[0]!, values[0]!, values[1] ?? white] : values;
  };
  return { white, pixel };
};

const decodeFile = async (path: string): Promise<DecodedPng> => {
  const { decode } = await import('fast-png');
  const file = readFile(path);
  try {
    return decode(file, { checkCrc: true });
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/:$/, '') : String(error);
    return refuseFile(path, `expected a whole PNG file, but it cannot be decoded (${why})`);
  }
};

/** Reads an opaque PNG file of any colour type and depth. Throws DatasetFault if the file cannot be read. */
export const readPng = async (path: string): Promise<Picture> => {
  const png = await decodeFile(path);
  const { width, height, transparency } = png;
  const { white, pixel } = pixelsOf(png);
  const rgb = new Float32Array(width * height * 3);
  for (let at = 0; at < width * height; at++) {
    const [red, green, blue, alpha = white] = pixel(Math.floor(at / width), at % width);
    if (red === undefined) return refuseFile(path, 'a pixel has a colour that the palette lacks');
    if (alpha !== white || transparency)
      return refuseFile(path, 'expected opaque pixels: save the image without an alpha channel');
    rgb.set([red / white, green! / white, blue! / white], at * 3);
  }
  return { width, height, rgb };
};
