/** Images of the user: files that numpy and Pillow wrote, and files that must be refused before they cost memory. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { type ImageSource, openImages } from '../src/attack/images.ts';
import { createNpy, openNpy, readRows } from '../src/attack/npy.ts';
import { npyImages } from '../src/attack/npy-images.ts';
import { readPng } from '../src/attack/png.ts';
import { pngImages } from '../src/attack/png-images.ts';

const arrays = fileURLToPath(new URL('../../../fixtures/arrays', import.meta.url));
const fixture = (name: string): string => join(arrays, name);
const folder = mkdtempSync(join(tmpdir(), 'funnel-images-'));
afterAll(() => rmSync(folder, { recursive: true }));

const all = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
/** The pixels of the fixtures: byte k is 7 k mod 256. */
const bytes = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, k) => (7 * (from + k)) % 256);
const unit = (values: readonly number[]): number[] => values.map((byte) => Math.fround(byte / 255));
const read = async (source: ImageSource, shape = source.shapes[0]!) => {
  const { images, labels } = await source.read(shape);
  return { images: [...images], labels };
};

let files = 0;
/** An NPY file of version 1 with this header. */
const written = (header: string, data: Uint8Array = new Uint8Array()): string => {
  const path = join(folder, `written-${files++}.npy`);
  const start = Buffer.from([
    0x93,
    0x4e,
    0x55,
    0x4d,
    0x50,
    0x59,
    1,
    0,
    header.length & 255,
    header.length >> 8,
  ]);
  writeFileSync(path, Buffer.concat([start, Buffer.from(header, 'latin1'), data]));
  return path;
};

describe('images as NPY', () => {
  it.each(['uint8.npy', 'float32.npy', 'float64.npy', 'version-2.npy'])(
    '%s has three grey images',
    async (name) => {
      const source = npyImages(fixture(name), fixture('labels-int64.npy'), all);
      expect(source.shapes).toEqual([[4, 5, 1]]);
      expect(source.count).toBe(3);
      expect(await read(source)).toEqual({ images: unit(bytes(0, 60)), labels: [2, 0, 1] });
    },
  );

  it('has channels first as PyTorch, and gives them last', async () => {
    const labels = join(folder, 'two.npy');
    writeFileSync(
      labels,
      readFileSync(
        written("{'descr': '|i1', 'fortran_order': False, 'shape': (2,), }\n", Uint8Array.of(1, 0)),
      ),
    );
    for (const name of ['colour.npy', 'channels-first.npy']) {
      const source = npyImages(fixture(name), labels, all);
      expect(source.shapes, name).toEqual([[4, 5, 3]]);
      expect(await read(source), name).toEqual({ images: unit(bytes(0, 120)), labels: [1, 0] });
    }
  });

  it.each(['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'])(
    'takes labels as %s',
    async (type) => {
      const source = npyImages(fixture('uint8.npy'), fixture(`labels-${type}.npy`), all);
      expect((await source.read([4, 5, 1])).labels).toEqual([2, 0, 1]);
    },
  );

  it('takes labels as a column, and reads only the chosen images in their order', async () => {
    const source = npyImages(fixture('uint8.npy'), fixture('labels-column.npy'), () => [2, 0]);
    expect(await read(source)).toEqual({
      images: unit([...bytes(40, 60), ...bytes(0, 20)]),
      labels: [1, 2],
    });
  });

  const labels = fixture('labels-int64.npy');
  const images = fixture('uint8.npy');
  /** A file of version 2 that says that its header has a gigabyte. */
  const largeHeader = (): string => {
    const path = join(folder, 'large-header.npy');
    writeFileSync(path, Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0, 0, 0, 0, 0x40]));
    return path;
  };
  const header = (type: string, shape: string) =>
    written(`{'descr': '${type}', 'fortran_order': False, 'shape': ${shape}, }\n`);
  it.each([
    [
      fixture('fortran.npy'),
      labels,
      /expected C order, but got Fortran order: save np\.ascontiguousarray\(X\)/,
    ],
    [fixture('big-endian.npy'), labels, /little endian, but got >f4, which is big endian/],
    [fixture('float16.npy'), labels, /but got <f2: save X\.astype\('float32'\)/],
    [fixture('records.npy'), labels, /expected the header of an array of numbers/],
    [
      fixture('labels-int64.npy'),
      labels,
      /expected uint8 \(0 to 255\), float32 or float64 \(0 to 1\), but got <i8/,
    ],
    [fixture('none.npy'), labels, /expected images, but got none: its shape is \[0, 4, 5\]/],
    [fixture('scalar.npy'), labels, /expected an array with at least one axis, but got one number/],
    [fixture('archive.npz'), labels, /expected one array \(np\.save\), but got an archive/],
    [fixture('pictures/rgb.png'), labels, /expected an NPY file, as np\.save writes it/],
    ['/nowhere.npy', labels, /there is none at this path/],
    ['/dev/zero', labels, /something that is no file/],
    [images, fixture('labels-one-hot.npy'), /\[3, 3\]: np\.argmax\(Y, axis=1\)/],
    [images, fixture('labels-float.npy'), /whole numbers, but got floats: save Y\.astype\('int64'\)/],
    [fixture('colour.npy'), labels, /expected 2 labels, one per image, but got 3/],
    [
      header('|u1', '(3, 4, 5)'),
      labels,
      /expected 60 bytes for the shape \[3, 4, 5\], but got 0: the file is cut off/,
    ],
    [header('<f4', '(1000000000, 1000000000, 3)'), labels, /expected 12000000000000000000 bytes/],
    [largeHeader(), labels, /expected a header of at most 65536 bytes, but got 1073741824/],
    [written('{}\n'), labels, /with descr, fortran_order and shape/],
  ])('%s is refused', (path, labelsPath, words) => {
    expect(() => npyImages(path, labelsPath, all)).toThrow(words);
  });

  it('refuses floats beyond [0, 1] and NaN when it reads them, and names the image', async () => {
    const source = npyImages(fixture('beyond.npy'), labels, () => [1]);
    await expect(source.read([4, 5, 1])).rejects.toThrow(
      /from 0 \(black\) to 1 \(white\), but got 140 in image 1: save uint8, or floats in \[0, 1\]/,
    );
    const nan = written(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1), }\n",
      new Uint8Array(Float32Array.of(Number.NaN).buffer),
    );
    const label = written("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }\n", Uint8Array.of(0));
    await expect(npyImages(nan, label, all).read([1, 1, 1])).rejects.toThrow(/but got NaN in image 0/);
  });

  it('refuses more values than fit into memory before it reads one', () => {
    const many = { length: 2 ** 24 } as unknown as readonly number[];
    expect(() => npyImages(images, labels, () => many)).toThrow(
      /expected at most 268435456 values, but got 16777216 images/,
    );
  });
});

describe('adversarials as NPY', () => {
  it('is complete after each append, and reads back to the bit', () => {
    const path = join(folder, 'adversarials.npy');
    const npy = createNpy(path, [2, 2, 1]);
    expect(openNpy(path)).toMatchObject({ type: '<f4', shape: [0, 2, 2, 1] });
    npy.append(Float32Array.of(0, 0.1, 0.2, 0.3));
    npy.append(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    const file = openNpy(path);
    expect(file.shape).toEqual([3, 2, 2, 1]);
    const values = new Float32Array(12);
    readRows(file, [0, 1, 2], values);
    expect(values).toEqual(Float32Array.of(0, 0.1, 0.2, 0.3, 1, 2, 3, 4, 5, 6, 7, 8));
    npy.close();
    // numpy wants the data at a multiple of 64 bytes, and a line feed before it.
    expect(file.offset % 64).toBe(0);
    expect(readFileSync(path)[file.offset - 1]).toBe(0x0a);
  });
});

describe('images as PNG', () => {
  it.each(['rgb', 'rgba', 'palette', 'grey', 'grey-alpha', 'one-bit'])(
    '%s.png has the colours that Pillow reads',
    async (name) => {
      const expected = new Float32Array(60);
      readRows(openNpy(fixture(`pictures/${name}.npy`)), [0, 1, 2, 3], expected);
      const { width, height, rgb } = await readPng(fixture(`pictures/${name}.png`));
      expect([width, height]).toEqual([5, 4]);
      expect([...rgb]).toEqual(unit([...expected]));
    },
  );

  it('reads sixteen bits', async () => {
    const { rgb } = await readPng(fixture('pictures/sixteen-bits.png'));
    expect(rgb.filter((_, i) => i % 3 === 1)).toEqual(Float32Array.from(unit(bytes(0, 20))));
  });

  const changed = (name: string, change: (file: Buffer) => Buffer): string => {
    const path = join(folder, `changed-${files++}.png`);
    writeFileSync(path, change(readFileSync(fixture(`pictures/${name}.png`))));
    return path;
  };
  const withByte = (name: string, at: number, byte: number) =>
    changed(name, (file) => {
      file[at] = byte;
      return file;
    });
  /** A chunk with its length and a checksum of zeros, which nothing reads: the sizes are checked first. */
  const chunk = (type: string, content: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(content.length);
    return Buffer.concat([length, Buffer.from(type, 'latin1'), content, Buffer.alloc(4)]);
  };
  const zeros = deflateSync(Buffer.alloc(64 * 2 ** 20));
  /** The signature and the header of a picture of 5 × 4 pixels, then this chunk. */
  const headed = (type: string, content: Buffer) =>
    changed('rgb', (file) => Buffer.concat([file.subarray(0, 33), chunk(type, content)]));
  it.each([
    [() => headed('IDAT', zeros), /at most 240 bytes of pixels after decompression, but got more/],
    [
      () => headed('iCCP', Buffer.concat([Buffer.from('x\0\0', 'latin1'), zeros])),
      /a colour profile of at most 4194304 bytes, but got more/,
    ],
    [() => fixture('pictures/transparent.png'), /expected opaque pixels/],
    [() => fixture('uint8.npy'), /expected a PNG file, but its first bytes are others/],
    [
      () => withByte('rgb', 50, 0xff),
      /whole PNG file, but it cannot be decoded \(Error while decompressing the data\)/,
    ],
    [() => changed('rgb', (file) => file.subarray(0, 60)), /whole PNG file, but it cannot be decoded/],
    [() => withByte('rgb', 16, 0xff), /expected 1 to 16777216 pixels/],
    [() => withByte('one-bit', 28, 1), /expected 8 bits per sample in an interlaced image, but got 1/],
    [
      () => changed('grey', (file) => Buffer.concat([file, Buffer.alloc(2 ** 20 + 200)])),
      /in at most 1048736 bytes/,
    ],
  ])('refuses a file that it would read wrongly (%#)', async (path, words) => {
    await expect(readPng(path())).rejects.toThrow(words);
  });
});

describe('a folder of PNG files', () => {
  const place = (...path: string[]): string => {
    const target = join(folder, ...path.slice(0, -1));
    mkdirSync(join(target, '..'), { recursive: true });
    writeFileSync(target, readFileSync(fixture(`pictures/${path.at(-1)}.png`)));
    return target;
  };
  it('numbers classes by name, takes one of each in turn, and says which file an image is', async () => {
    const root = join(folder, 'named');
    for (const [name, file] of [
      ['cat', 'b.png'],
      ['cat', 'a.png'],
      ['dog', 'c.PNG'],
    ] as const) {
      mkdirSync(join(root, name), { recursive: true });
      place('named', name, file, name === 'cat' ? 'rgb' : 'grey');
    }
    mkdirSync(join(root, '.hidden'));
    writeFileSync(join(root, 'notes.txt'), '');
    const source = await pngImages(root, all);
    expect(source.count).toBe(3);
    expect(source.indices.map((index) => source.fileOf!(index))).toEqual([
      join(root, 'cat', 'a.png'),
      join(root, 'dog', 'c.PNG'),
      join(root, 'cat', 'b.png'),
    ]);
    expect(source.description).toEqual({ images: root, classes: { cat: 0, dog: 1 } });
    expect(source.shapes).toEqual([[4, 5, 3]]);
    const { images, labels } = await read(source);
    expect(labels).toEqual([0, 1, 0]);
    expect(images.slice(0, 60)).toEqual(unit(bytes(0, 60)));
  });

  it('takes numbers as labels, and offers grey pictures as one channel or three', async () => {
    for (const [name, file] of [
      ['7', 'a.png'],
      ['10', 'b.png'],
    ] as const) {
      mkdirSync(join(folder, 'numbered', name), { recursive: true });
      place('numbered', name, file, 'grey');
    }
    const source = await pngImages(join(folder, 'numbered'), all);
    expect(source.shapes).toEqual([
      [4, 5, 1],
      [4, 5, 3],
    ]);
    expect((await read(source)).labels).toEqual([10, 7]);
    expect((await read(source)).images.slice(0, 20)).toEqual(unit(bytes(0, 20)));
    expect((await read(source, [4, 5, 3])).images).toHaveLength(120);
  });

  it('refuses other sizes, other formats and folders without classes', async () => {
    const root = join(folder, 'mixed');
    mkdirSync(join(root, 'a'), { recursive: true });
    await expect(pngImages(root, all)).rejects.toThrow(/expected a folder per class with PNG files/);
    place('mixed', 'a', '1.png', 'rgb');
    writeFileSync(join(root, 'a', 'photo.jpg'), '');
    await expect(pngImages(root, all)).rejects.toThrow(/photo\.jpg: expected PNG files only/);
    rmSync(join(root, 'a', 'photo.jpg'));
    const { encode } = await import('fast-png');
    writeFileSync(
      join(root, 'a', '2.png'),
      encode({ width: 2, height: 3, data: new Uint8Array(6), channels: 1 }),
    );
    await expect(pngImages(root, all)).rejects.toThrow(
      /2\.png: expected 5 × 4 pixels as in .*1\.png, but got 2 × 3/,
    );
  });
});

describe('the options that name images', () => {
  const folders = { dir: null, home: folder };
  it.each([
    [{}, /Expected images: --dataset NAME, --images X\.npy --labels Y\.npy, or --images FOLDER/],
    [{ labels: 'Y.npy' }, /Expected --images X\.npy beside --labels/],
    [{ images: fixture('uint8.npy') }, /Expected --labels Y\.npy beside --images/],
    [{ images: arrays, labels: 'Y.npy' }, /without --labels: the folders in it name the classes/],
    [{ images: arrays, dataset: 'mnist' }, /from one place, but got --dataset and --images/],
    [
      { images: fixture('uint8.npy'), labels: fixture('labels-int8.npy'), indices: '0-3' },
      /Expected indices below 3, the images of .*uint8\.npy, but got 3/,
    ],
  ] as const)('%j is refused', async (options, words) => {
    await expect(openImages({ split: 'test', ...options }, { folders })).rejects.toThrow(words);
  });
});
