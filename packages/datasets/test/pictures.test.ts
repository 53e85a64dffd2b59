/** Pictures as pixels: depth, alpha, palettes, CMYK, EXIF, grey and colour, scaling. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodePicture, openPicture } from '../src/images/decode.ts';
import { defaultOptions } from '../src/options.ts';
import { makeRows, pngFile, writeFiles } from './support/make-files.ts';
import { rawPng } from './support/make-png.ts';
import { contentOf, newFolder, read } from './support/temporary.ts';

const decode = async (bytes: Uint8Array, options: object = {}) => {
  const { shape, pixels } = await decodePicture(await openPicture({ path: 'a', bytes }), {
    ...defaultOptions,
    ...options,
  });
  return { shape, pixels: [...pixels] };
};

describe('a picture', () => {
  it('of 16 bits has the higher 8 of them', async () => {
    const rows = Uint8Array.from([0, 0x12, 0x34, 0xff, 0xfe]); // 0x1234 and 0xfffe
    expect(await decode(rawPng({ width: 2, height: 1, depth: 16, rows }))).toEqual({
      shape: [1, 2, 1],
      pixels: [0x12, 0xff],
    });
  });

  it('of one bit is black and white', async () => {
    const rows = Uint8Array.from([0, 0b10100000]);
    expect((await decode(rawPng({ width: 3, height: 1, depth: 1, rows }))).pixels).toEqual([255, 0, 255]);
  });

  it('with a palette has the colours of the palette', async () => {
    const palette = Uint8Array.from([1, 2, 3, 200, 100, 50]);
    const rows = Uint8Array.from([0, 1, 0]);
    const { shape, pixels } = await decode(rawPng({ width: 2, height: 1, colour: 3, rows, palette }));
    expect({ shape, pixels }).toEqual({ shape: [1, 2, 3], pixels: [200, 100, 50, 1, 2, 3] });
  });

  it('with alpha lies on black', async () => {
    const rows = Uint8Array.from([0, 200, 100, 50, 255, 200, 100, 50, 0, 200, 100, 50, 51]); // a fifth of 255
    const { pixels } = await decode(rawPng({ width: 3, height: 1, colour: 6, rows }));
    expect(pixels).toEqual([200, 100, 50, 0, 0, 0, 40, 20, 10]);
  });

  it('in CMYK becomes red, green and blue', async () => {
    const red = await sharp({
      create: { width: 8, height: 8, channels: 3, background: { r: 200, g: 30, b: 30 } },
    })
      .toColourspace('cmyk')
      .jpeg({ quality: 100 })
      .toBuffer();
    const { shape, pixels } = await decode(red);
    expect(shape).toEqual([8, 8, 3]);
    const [r = 0, g = 0, b = 0] = pixels;
    expect(r).toBeGreaterThan(150);
    expect(Math.max(g, b)).toBeLessThan(90);
  });

  it('is turned upright by EXIF', async () => {
    // White above black, in a file that says: turn by 90° clockwise. Then white is on the right.
    const lying = await sharp(Buffer.from([...Array(128).fill(255), ...Array(128).fill(0)]), {
      raw: { width: 16, height: 16, channels: 1 },
    })
      .resize({ width: 16, height: 8, fit: 'fill' })
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 100 })
      .toBuffer();
    const { shape, pixels } = await decode(lying);
    expect(shape.slice(0, 2)).toEqual([16, 8]);
    expect(pixels[0]).toBeLessThan(10);
    expect(pixels[7 * shape[2]!]).toBeGreaterThan(245);
  });

  it('is cropped, or fitted with black bars', async () => {
    const white = pngFile({ shape: [4, 8, 1], labels: [0], pixels: new Uint8Array(32).fill(255) }, 0);
    expect(await decode(white, { size: [4, 4], resize: 'crop' })).toEqual({
      shape: [4, 4, 1],
      pixels: Array(16).fill(255),
    });
    const { pixels } = await decode(white, { size: [4, 4], resize: 'fit' });
    expect(pixels).toEqual([...Array(4).fill(0), ...Array(8).fill(255), ...Array(4).fill(0)]);
  });
});

describe('a folder', () => {
  const coloured = {
    shape: [1, 2, 3] as const,
    labels: [0],
    pixels: Uint8Array.from([255, 0, 0, 10, 20, 30]),
  };
  const grey = { shape: [1, 2, 1] as const, labels: [0], pixels: Uint8Array.from([7, 9]) };
  const folder = (first: Uint8Array) =>
    writeFiles(newFolder(), {
      'a/1.png': first,
      'b/2.png': first,
      'a/3.png': pngFile(grey, 0),
      'b/4.png': pngFile(grey, 0),
    });

  it('is coloured if its first picture is, and grey ones get three equal channels', async () => {
    const found = await read(folder(pngFile(coloured, 0)), { order: 'name', testShare: 0.5 });
    const { train, test } = contentOf(found);
    const images = [...train.images, ...test.images].map((image) => image.join());
    expect(images.sort()).toEqual(['255,0,0,10,20,30', '255,0,0,10,20,30', '7,7,7,9,9,9', '7,7,7,9,9,9']);
  });

  it('with --grey has the grey of Pillow', async () => {
    const found = await read(folder(pngFile(coloured, 0)), { order: 'name', testShare: 0.5, channels: 1 });
    const { train, test } = contentOf(found);
    const images = [...train.images, ...test.images].map((image) => image.join());
    // round(0.299 · 255) and round(0.299 · 10 + 0.587 · 20 + 0.114 · 30)
    expect(images.sort()).toEqual(['7,9', '7,9', '76,18', '76,18']);
  });

  it('says how many pictures have an alpha channel', async () => {
    const clear = rawPng({ width: 2, height: 1, colour: 4, rows: Uint8Array.from([0, 9, 255, 8, 0]) });
    const { notes } = await read(folder(clear), { order: 'name' });
    expect(notes[1]).toBe('2 pictures have an alpha channel: laid on black.');
  });

  it('of pictures of many sizes gets one with --size', async () => {
    const sizes = [3, 9, 20, 33].map((side, i) => [
      `${'ab'[i % 2]}/${i}.png`,
      pngFile(makeRows(1, [side, 2 * side, 3]), 0),
    ]);
    const { content } = await read(writeFiles(newFolder(), Object.fromEntries(sizes)), { size: [5, 7] });
    expect(content.shape).toEqual([5, 7, 3]);
  });
});
