/** Hostile folders of pictures, and hostile Parquet files. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import type { ReadOptions } from '../../src/options.ts';
import type { HostileCase } from './hostile-arrays.ts';
import { makePipe } from './hostile-arrays.ts';
import { makeRows, parquetFile, pngFile, writeFiles } from './make-files.ts';
import { rawPng } from './make-png.ts';

const rows = makeRows(4, [6, 8, 1]);
const png = Buffer.from(pngFile(rows, 0));
const colour = Buffer.from(pngFile(makeRows(1, [6, 8, 3]), 0));
const jpeg = await sharp(Buffer.from(rows.pixels.subarray(0, 48)), {
  raw: { width: 8, height: 6, channels: 1 },
})
  .jpeg()
  .toBuffer();

/** Two good pictures in two classes, and one of another kind, which comes last. */
const pictureCase = (
  name: string,
  content: Uint8Array,
  says: RegExp,
  ending = 'png',
  options: Partial<ReadOptions> = {},
): HostileCase => ({
  name: `picture: ${name}`,
  make: (folder) => writeFiles(folder, { 'a/1.png': png, 'b/2.png': png, [`b/3.${ending}`]: content }),
  options: { order: 'name', ...options },
  says: new RegExp(`b/3\\.${ending}: .*(${says.source})`),
});

/** A PNG of this size whose rows are all black. */
const blackPng = (width: number, height: number): Buffer =>
  rawPng({ width, height, depth: 1, rows: new Uint8Array(height * (Math.ceil(width / 8) + 1)) });

const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="6"/>';
/** The height and width in the header of the frame (marker SOF0) changed to 60,000. */
const lyingJpeg = (): Buffer => {
  const lie = Buffer.from(jpeg);
  const at = lie.indexOf(Buffer.from([0xff, 0xc0]));
  lie.writeUInt16BE(60_000, at + 5);
  lie.writeUInt16BE(60_000, at + 7);
  return lie;
};
const flipped = (file: Buffer, at: number): Buffer => {
  const copy = Buffer.from(file);
  copy[at]! ^= 0xff;
  return copy;
};

const pictureCases: readonly HostileCase[] = [
  pictureCase('an empty file', Buffer.alloc(0), /it is empty/),
  pictureCase('text', Buffer.from('no picture'), /its first bytes are others/),
  pictureCase('a GIF', Buffer.from('GIF89a...'), /those of GIF/),
  pictureCase('a WebP', Buffer.from('RIFF....WEBPVP8 '), /those of WebP/),
  pictureCase('a BMP', Buffer.from('BM......'), /those of BMP/),
  pictureCase('a TIFF', Buffer.from([0x49, 0x49, 0x2a, 0, 8, 0, 0, 0]), /those of TIFF/),
  pictureCase('an SVG', Buffer.from(svg), /those of SVG or XML/),
  pictureCase('an SVG as a JPEG', Buffer.from(svg), /those of SVG or XML/, 'jpg'),
  pictureCase('a PNG of its first bytes', png.subarray(0, 8), /cannot be read/),
  pictureCase('a PNG without pixels', png.subarray(0, 33), /cannot be read/),
  pictureCase('a PNG, cut off', colour.subarray(0, -40), /cannot be read/, 'png', { channels: 3 }),
  pictureCase('a PNG with a wrong checksum', flipped(png, 45), /cannot be read/),
  pictureCase('a PNG of no pixels', blackPng(0, 0), /cannot be read/),
  pictureCase(
    'a PNG of 4 thousand million × 4 thousand million',
    rawPng({ width: 2 ** 31, height: 2 ** 31, rows: new Uint8Array(9) }),
    /cannot be read/,
  ),
  pictureCase(
    'a PNG bomb of 100 million pixels',
    blackPng(10_000, 10_000),
    /at most 64000000 pixels, but got 10000 × 10000/,
  ),
  pictureCase(
    'a PNG that declares 1 million × 1 million',
    rawPng({ width: 1_000_000, height: 1_000_000, rows: new Uint8Array(9) }),
    /pixels, but got|cannot be read/,
  ),
  pictureCase(
    'a PNG bomb within the limit of pixels',
    blackPng(8000, 8000),
    /expected 6 × 8 \(height × width\) pixels as in .*a\/1.png, but got 8000 × 8000/,
  ),
  pictureCase(
    'a PNG with too few rows',
    rawPng({ width: 8, height: 6, rows: new Uint8Array(9) }),
    /cannot be read/,
  ),
  pictureCase(
    'a PNG whose palette lacks colours',
    rawPng({
      width: 8,
      height: 6,
      colour: 3,
      rows: new Uint8Array(54).fill(9),
      palette: Uint8Array.from([1, 2, 3]),
    }),
    /cannot be read|coloured one/,
  ),
  pictureCase(
    'a PNG with 16 MB of hidden text',
    rawPng({
      width: 9,
      height: 6,
      rows: new Uint8Array(60),
      extra: [['zTXt', Buffer.concat([Buffer.from('a\0\0'), deflateSync(new Uint8Array(2 ** 24))])]],
    }),
    /but got 6 × 9 |cannot be read/,
  ),
  pictureCase('a JPEG of its first bytes', jpeg.subarray(0, 4), /cannot be read/, 'jpg'),
  pictureCase('a JPEG, cut off', jpeg.subarray(0, -20), /cannot be read/, 'jpg'),
  pictureCase(
    'a JPEG that declares 3.6 thousand million pixels',
    lyingJpeg(),
    /at most 64000000 pixels, but got 60000 × 60000/,
    'jpg',
  ),
  pictureCase(
    'another size',
    Buffer.from(pngFile(makeRows(1, [8, 6, 1]), 0)),
    /expected 6 × 8 \(height × width\) pixels as in .*a\/1.png, but got 8 × 6 \(height × width\): --size HEIGHTxWIDTH/,
  ),
  pictureCase(
    'a coloured one among grey ones',
    colour,
    /expected a grey picture like the first one, .*a\/1.png, but got a coloured one/,
  ),
];

const folderCase = (
  name: string,
  make: HostileCase['make'],
  says: RegExp,
  options: Partial<ReadOptions> = {},
): HostileCase => ({
  name: `folder: ${name}`,
  make,
  says,
  options,
});
const good = { 'a/1.png': png, 'b/2.png': png };

const folderCases: readonly HostileCase[] = [
  folderCase(
    'one class',
    (folder) => writeFiles(folder, { 'a/1.png': png, 'a/2.png': png }),
    /at least two classes, but got only a/,
  ),
  folderCase('one picture of each class', (folder) => writeFiles(folder, good), /no class has two images/),
  folderCase(
    'an empty class',
    (folder) => {
      mkdirSync(join(writeFiles(folder, good), 'c'));
      return folder;
    },
    /c: expected pictures in the folder of a class, but got none/,
  ),
  folderCase(
    'a text in a class',
    (folder) => writeFiles(folder, { ...good, 'b/notes.txt': png }),
    /b\/notes.txt: expected only/,
  ),
  folderCase(
    'a folder in a class',
    (folder) => writeFiles(folder, { ...good, 'b/c/1.png': png }),
    /b\/c: expected pictures .* but got a folder/,
  ),
  folderCase(
    'a folder that ends with .png',
    (folder) => writeFiles(folder, { ...good, 'b/c.png/1.png': png }),
    /b\/c.png: .* but got a folder/,
  ),
  folderCase(
    'a link to a picture',
    (folder) => {
      symlinkSync('/etc/passwd', join(writeFiles(folder, good), 'b/3.png'));
      return folder;
    },
    /b\/3.png: .* a symbolic link, which is not followed/,
  ),
  folderCase(
    'a link to a class',
    (folder) => {
      symlinkSync(join(folder, 'a'), join(writeFiles(folder, good), 'c'));
      return folder;
    },
    /c: .* a symbolic link, which is not followed/,
  ),
  folderCase(
    'a link to itself',
    (folder) => {
      symlinkSync(folder, join(writeFiles(folder, good), 'b/again'));
      return folder;
    },
    /again: .* a symbolic link/,
  ),
  folderCase(
    'a pipe as a picture',
    (folder) => {
      makePipe(join(writeFiles(folder, good), 'b/3.png'));
      return folder;
    },
    /b\/3.png: .* but got a pipe/,
  ),
  folderCase(
    'a thousand and one classes',
    (folder) =>
      writeFiles(folder, Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`${i}/1.png`, png]))),
    /at most 1000 classes/,
  ),
  folderCase(
    'a name with an escape',
    (folder) =>
      writeFiles(folder, {
        ...good,
        'a/3.png': png,
        'b/4.png': png,
        '\x1b[2J/1.png': png,
        '\x1b[2J/2.png': png,
      }),
    /without control characters/,
  ),
  folderCase(
    'a test class that training lacks',
    (folder) => writeFiles(folder, { 'train/a/1.png': png, 'train/b/2.png': png, 'test/c/1.png': png }),
    /test\/c\/1.png: expected a class of the training images .* got the label c/,
  ),
  folderCase(
    'a class that --classes lacks',
    (folder) => writeFiles(folder, good),
    /2.png: expected a class \(a, c\), but got the label b/,
    { classes: ['a', 'c'] },
  ),
  folderCase(
    'pictures of 600 pixels',
    (folder) => writeFiles(folder, { 'a/1.png': blackPng(600, 4), 'b/1.png': blackPng(600, 4) }),
    /at most 512 × 512 pixels .* --size/,
    { classes: ['a', 'b'] },
  ),
];

const pictures = rows.labels.map((_, i) => pngFile(rows, i));
const labels = rows.labels.map(BigInt);
const whole = Buffer.from(parquetFile(pictures, labels));
/** The metadata with other bytes in place of a text. */
const changed = (from: string, to: string): Buffer => {
  const file = Buffer.from(whole);
  for (let at = file.indexOf(from); at >= 0; at = file.indexOf(from, at + 1)) file.write(to, at, 'latin1');
  return file;
};
const withLength = (bytes: number): Buffer => {
  const file = Buffer.from(whole);
  file.writeUInt32LE(bytes, file.length - 8);
  return file;
};
const parquetCase = (
  name: string,
  file: Uint8Array,
  says: RegExp,
  options: Partial<ReadOptions> = {},
): HostileCase => ({
  name: `Parquet: ${name}`,
  make: (folder) => join(writeFiles(folder, { 'a.parquet': file }), 'a.parquet'),
  says: new RegExp(`a\\.parquet.*(${says.source})`, 's'),
  options,
});

const parquetCases: readonly HostileCase[] = [
  parquetCase('an empty file', Buffer.alloc(0), /it has only 0 bytes/),
  parquetCase('text', Buffer.from('this is no Parquet file at all'), /ends with PAR1/),
  parquetCase('cut off', whole.subarray(0, -50), /it is cut off, or another kind of file/),
  parquetCase('metadata longer than the file', withLength(whole.length), /it declares \d+/),
  parquetCase('metadata of 4 GB', withLength(0xffffffff), /it declares 4294967295/),
  parquetCase('metadata of 3 bytes', withLength(3), /cannot be read/),
  parquetCase(
    'metadata of nonsense',
    Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(2000, 0x19), whole.subarray(-8)]),
    /cannot be read|it declares/,
  ),
  parquetCase(
    'metadata of zeros',
    Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(2000), whole.subarray(-8)]),
    /cannot be read/,
  ),
  parquetCase('no data before the metadata', whole.subarray(600), /cannot be read|expected|declares/),
  parquetCase(
    'no column of labels',
    changed('label', 'libel'),
    /one column of labels, but its columns are image, libel/,
  ),
  parquetCase(
    'no bytes in the column of pictures',
    changed('bytes', 'bites'),
    /one column of pictures, but its columns/,
  ),
  parquetCase('a column that --label-column lacks', whole, /expected the column y, but/, {
    labelColumn: 'y',
  }),
  parquetCase('pictures as labels', whole, /row 0: expected a whole number or a text as a label/, {
    labelColumn: 'image',
  }),
  parquetCase('labels as pictures', whole, /row 0: expected the bytes of a picture, but got none/, {
    imageColumn: 'label',
  }),
  parquetCase(
    'pictures in other files',
    parquetFile([...pictures.slice(0, 3), null], labels),
    /row 3: expected the bytes of a picture/,
  ),
  parquetCase(
    'no label in a row',
    parquetFile(pictures, [...labels.slice(0, 3), null]),
    /row 3: .* as a label, but got none/,
  ),
  parquetCase('a label of −1', parquetFile(pictures, [...labels.slice(0, 3), -1n]), /row 3: .* but got -1/),
  parquetCase(
    'a label beyond all numbers',
    parquetFile(pictures, [...labels.slice(0, 3), 2n ** 62n]),
    /row 3: expected a whole number/,
  ),
  parquetCase(
    'a label beyond the names',
    parquetFile(pictures, [...labels.slice(0, 3), 2n], { names: ['a', 'b'] }),
    /row 3: expected a label below 2 \(a, b\), but got the label 2/,
  ),
  parquetCase(
    'text as a picture',
    parquetFile([...pictures.slice(0, 3), Buffer.from('hello')], labels),
    /row 3: expected a PNG or JPEG picture/,
  ),
  parquetCase(
    'pictures of two sizes',
    parquetFile([...pictures.slice(0, 3), pngFile(makeRows(1, [8, 8, 1]), 0)], labels),
    /row 3: expected 6 × 8 \(height × width\) pixels/,
  ),
  parquetCase('one class', parquetFile(pictures, [1n, 1n, 1n, 1n]), /at least two classes/),
];

export const hostilePictures: readonly HostileCase[] = [...pictureCases, ...folderCases, ...parquetCases];
