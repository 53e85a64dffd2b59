/** Hostile files in IDX, numpy's formats and CIFAR-10's format. */
import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ReadOptions } from '../../src/options.ts';
import { cifarBatch, idxFile, makeRows, npyFile, writeFiles, zipFile } from './make-files.ts';

export type HostileCase = {
  readonly name: string;
  /** Makes the files in an empty folder, and answers the path for the user. */
  readonly make: (folder: string) => string;
  readonly options?: Partial<ReadOptions>;
  /** What the sentence about the file must say: the file or the place, and the fault. */
  readonly says: RegExp;
};

export const makePipe = (path: string): void => {
  execFileSync('mkfifo', [path]);
};

const rows = makeRows(12);
const images = idxFile([12, 4, 5], rows.pixels);
const labels = idxFile([12], Uint8Array.from(rows.labels));
const [imagesName, labelsName] = ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'];

type Files = Readonly<Record<string, Uint8Array>>;
const inFiles =
  (files: Files, path = '') =>
  (folder: string): string =>
    join(writeFiles(folder, files), path);

const withImages = (content: Uint8Array): Files => ({ [imagesName]: content, [labelsName]: labels });
const withLabels = (content: Uint8Array): Files => ({ [imagesName]: images, [labelsName]: content });
const packed = (content: Uint8Array): Files => ({ [`${imagesName}.gz`]: content, [labelsName]: labels });

const idxCase = (name: string, files: Files, says: RegExp): HostileCase => ({
  name: `IDX: ${name}`,
  make: inFiles(files),
  says,
});

const idxCases: readonly HostileCase[] = [
  idxCase('an empty file', withImages(Buffer.alloc(0)), /images-idx3-ubyte: expected an IDX file/),
  idxCase('three bytes', withImages(Buffer.alloc(3)), /expected an IDX file/),
  idxCase('text', withImages(Buffer.from('hello, this is no data')), /expected an IDX file/),
  idxCase(
    'floats',
    withImages(idxFile([12, 4, 5], rows.pixels, 0x0d)),
    /unsigned bytes .* but got the type 0x0d/,
  ),
  idxCase('two axes', withImages(idxFile([12, 20], rows.pixels)), /expected 3 or 4 axes, but got 2/),
  idxCase('200 axes', withImages(Buffer.from([0, 0, 8, 200])), /expected an IDX file/),
  idxCase('no images', withImages(idxFile([0, 4, 5], new Uint8Array())), /expected 1 to .* images/),
  idxCase('images without rows', withImages(idxFile([12, 0, 5], new Uint8Array())), /says 12 × 0 × 5/),
  idxCase('images of 513 pixels', withImages(idxFile([1, 513, 1], new Uint8Array(513))), /at most 512 × 512/),
  idxCase('five channels', withImages(idxFile([1, 2, 2, 5], new Uint8Array(20))), /says 1 × 2 × 2 × 5/),
  idxCase(
    'four thousand million images',
    withImages(idxFile([2 ** 32 - 1, 512, 512], new Uint8Array(9))),
    /its header says 4294967295/,
  ),
  idxCase(
    'a terabyte in nine bytes',
    withImages(idxFile([4_000_000, 512, 512], new Uint8Array(9))),
    /expected 1048576000016 bytes .* but got 25/,
  ),
  idxCase('cut off', withImages(images.subarray(0, -7)), /it is cut off/),
  idxCase(
    'bytes after the end',
    withImages(Buffer.concat([images, Buffer.alloc(9)])),
    /expected 256 bytes .* but got 265/,
  ),
  idxCase(
    'fewer labels than images',
    withLabels(idxFile([11], Uint8Array.from(rows.labels.slice(1)))),
    /expected 12 labels, .* but got 11/,
  ),
  idxCase('labels with the header of images', withLabels(images), /expected 1 axes, but got 3/),
  idxCase('no labels', { [imagesName]: images }, /expected a file such as train-labels-idx1-ubyte beside/),
  idxCase(
    'no images for the labels',
    { [labelsName]: labels },
    /expected a file such as train-images-idx3-ubyte beside/,
  ),
  idxCase(
    'only test images',
    { 't10k-images-idx3-ubyte': images, 't10k-labels-idx1-ubyte': labels },
    /expected train-images-idx3-ubyte and/,
  ),
  idxCase(
    'two sets in one folder',
    { ...withImages(images), 'letters-train-images-idx3-ubyte': images },
    /expected one file such as .* but got/,
  ),
  idxCase('one class', withLabels(idxFile([12], new Uint8Array(12))), /at least two classes, but got only 0/),
  idxCase(
    'test images of another size',
    {
      ...withImages(images),
      't10k-images-idx3-ubyte': idxFile([2, 5, 4], rows.pixels.subarray(0, 40)),
      't10k-labels-idx1-ubyte': idxFile([2], Uint8Array.from([0, 1])),
    },
    /as for training, but got \[5, 4, 1\]/,
  ),
  idxCase(
    'a test label that training lacks',
    {
      ...withImages(images),
      't10k-images-idx3-ubyte': idxFile([1, 4, 5], rows.pixels.subarray(0, 20)),
      't10k-labels-idx1-ubyte': idxFile([1], Uint8Array.from([7])),
    },
    /t10k-labels-idx1-ubyte, label 0: .* but got the label 7/,
  ),
  idxCase('gzip in name only', packed(images), /images-idx3-ubyte.gz: expected whole gzip data/),
  idxCase('gzip, cut off', packed(gzipSync(images).subarray(0, -20)), /damaged or cut off/),
  idxCase(
    'gzip with more than it declares',
    packed(gzipSync(Buffer.concat([images, Buffer.alloc(2 ** 20)]))),
    /expected 240 bytes of 12 images, but got more/,
  ),
  idxCase(
    'gzip with less than it declares',
    packed(gzipSync(images.subarray(0, -30))),
    /got 210: it is cut off in image 10/,
  ),
  idxCase(
    'a gzip bomb that hides',
    packed(gzipSync(Buffer.concat([images, Buffer.alloc(2 ** 26)]))),
    /but got more/,
  ),
  idxCase(
    'a gzip bomb that declares itself',
    packed(gzipSync(idxFile([1_000_000, 100, 100], new Uint8Array(2 ** 20)))),
    /at most 200 times their size, but \d+ bytes declare 10000000016/,
  ),
  idxCase('gzip of gzip', packed(gzipSync(gzipSync(images))), /expected an IDX file/),
  {
    name: 'IDX: a link to the labels',
    make: (folder) => {
      writeFiles(folder, { [imagesName]: images, 'elsewhere/labels': labels });
      symlinkSync(join(folder, 'elsewhere/labels'), join(folder, labelsName));
      return folder;
    },
    says: /train-labels-idx1-ubyte: expected a file or a folder, but got a symbolic link/,
  },
  {
    name: 'IDX: a pipe as labels',
    make: (folder) => {
      writeFiles(folder, { [imagesName]: images });
      makePipe(join(folder, labelsName));
      return folder;
    },
    says: /but got a pipe/,
  },
];

const x = npyFile([12, 4, 5], rows.pixels);
const y = npyFile([12], Uint8Array.from(rows.labels));
const floats = (values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const oneFloat = (value: number): Uint8Array =>
  npyFile([12, 1, 1], floats([...Array(11).fill(0), value]), '<f4');
const header = (descr: string, shape: string, order = 'False'): string =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;

const npyCase = (name: string, images: Uint8Array, says: RegExp, labels: Uint8Array = y): HostileCase => ({
  name: `NPY: ${name}`,
  make: inFiles({ 'x_train.npy': images, 'y_train.npy': labels }),
  says,
});
const npzCase = (name: string, content: Uint8Array, says: RegExp): HostileCase => ({
  name: `NPZ: ${name}`,
  make: inFiles({ 'a.npz': content }, 'a.npz'),
  says,
});
const entries = { 'x_train.npy': x, 'y_train.npy': y };
const stored = zipFile(entries);

const numpyCases: readonly HostileCase[] = [
  npyCase('an empty file', Buffer.alloc(0), /x_train.npy: expected an NPY file/),
  npyCase(
    'pickled objects',
    npyFile([12], new Uint8Array(96), '|O'),
    /Python objects, which are not unpickled/,
  ),
  npyCase(
    'records',
    npyFile([12], new Uint8Array(96), '', header("[('a', '<i4')]", '(12,)')),
    /expected the header of an array of numbers/,
  ),
  npyCase(
    'labels that are words',
    x,
    /y_train.npy: expected an array of numbers, but got text, <U3: np.unique/,
    npyFile([12], new Uint8Array(144), '<U3'),
  ),
  npyCase('big endian', npyFile([12, 1, 1], new Uint8Array(48), '>f4'), /big endian/),
  npyCase(
    'Fortran order',
    npyFile([12, 4, 5], rows.pixels, '', header("'|u1'", '(12, 4, 5)', 'True')),
    /Fortran order/,
  ),
  npyCase(
    'a terabyte in its header',
    npyFile([2 ** 20, 1024, 1024], rows.pixels),
    /expected 1099511627776 bytes/,
  ),
  npyCase(
    'a shape beyond all numbers',
    npyFile([], rows.pixels, '', header("'|u1'", `(${'9'.repeat(300)}, 9)`)),
    /expected Infinity bytes|bytes for the shape/,
  ),
  npyCase(
    'a negative axis',
    npyFile([], rows.pixels, '', header("'|u1'", '(-1, 4)')),
    /expected the header of an array of numbers/,
  ),
  npyCase(
    'a hundred axes',
    npyFile([], rows.pixels, '', header("'|u1'", `(${'1, '.repeat(100)})`)),
    /at most 32 axes/,
  ),
  npyCase(
    'a header of four gigabytes',
    Buffer.concat([Buffer.from([0x93]), Buffer.from('NUMPY'), Buffer.from([2, 0, 255, 255, 255, 255])]),
    /header of at most 65536 bytes, but got 4294967295/,
  ),
  npyCase(
    'code in the header',
    npyFile([], rows.pixels, '', "__import__('os').system('true')"),
    /expected the header of an array of numbers/,
  ),
  npyCase('cut off', x.subarray(0, -3), /cut off/),
  npyCase('rows instead of images', npyFile([12, 20], rows.pixels), /save X.reshape\(n, height, width\)/),
  npyCase('no images', npyFile([0, 4, 5], new Uint8Array()), /expected images, but got none/),
  npyCase(
    'NaN',
    oneFloat(Number.NaN),
    /expected floats from 0 \(black\) to 1 \(white\), but got NaN in image 11: leave such images out/,
  ),
  npyCase('infinity', oneFloat(Number.POSITIVE_INFINITY), /but got Infinity in image 11/),
  npyCase('floats on the scale of 255', oneFloat(200), /but got 200 in image 11/),
  npyCase('a float between two bytes', oneFloat(0.5), /but got 0.5 in image 11, which is 127.500\/255/),
  npyCase(
    'numbers above 255',
    npyFile([12, 1, 1], new Uint8Array(Uint16Array.from(Array(12).fill(256)).buffer), '<u2'),
    /whole numbers from 0 to 255, but got 256 in image 0/,
  ),
  npyCase(
    'negative numbers',
    npyFile([12, 1, 1], new Uint8Array(Int8Array.from(Array(12).fill(-1)).buffer), '|i1'),
    /but got -1 in image 0/,
  ),
  npyCase(
    'labels that are floats',
    x,
    /labels that are whole numbers, but got floats/,
    npyFile([12], floats(Array(12).fill(0)), '<f4'),
  ),
  npyCase('one-hot labels', x, /np.argmax/, npyFile([12, 2], new Uint8Array(24))),
  npyCase(
    'too few labels',
    x,
    /expected 12 labels, one per image, but got 3/,
    npyFile([3], new Uint8Array(3)),
  ),
  npyCase(
    'labels of −1',
    x,
    /label 0: expected a whole number of at least 0, but got -1, which usually means/,
    npyFile([12], new Uint8Array(Int8Array.from(Array(12).fill(-1)).buffer), '|i1'),
  ),
  npyCase(
    'a class for each image',
    npyFile([1100, 1, 1], new Uint8Array(1100)),
    /at most 1000 classes/,
    npyFile([1100], new Uint8Array(Uint16Array.from({ length: 1100 }, (_, i) => i).buffer), '<u2'),
  ),
  npyCase(
    'an image of 513 pixels',
    npyFile([12, 513, 1], new Uint8Array(12 * 513)),
    /at most 512 × 512 pixels/,
  ),
  {
    name: 'NPY: an array without labels',
    make: inFiles({ 'x_train.npy': x }),
    says: /expected train images and train labels, but got only x_train/,
  },
  {
    name: 'NPY: a label file that is missing',
    make: inFiles({ 'x.npy': x }, 'x.npy'),
    options: { labels: '/nowhere/y.npy' },
    says: /nowhere/,
  },
  npzCase('an empty file', Buffer.alloc(0), /a.npz: expected an NPZ file/),
  npzCase('text', Buffer.from('PK'.repeat(50)), /no directory at its end/),
  npzCase('cut off', stored.subarray(0, -30), /cut off/),
  npzCase('an empty archive', zipFile({}), /but got none/),
  npzCase('other names', zipFile({ 'a.npy': x, 'b.npy': y }), /expected arrays named .* but got a, b/),
  npzCase(
    'the same array twice',
    zipFile({ ...entries, 'train_images.npy': x }),
    /expected one array of train images/,
  ),
  npzCase(
    'a pickle',
    zipFile({ 'x_train.npy': npyFile([12], new Uint8Array(96), '|O'), 'y_train.npy': y }),
    /not unpickled/,
  ),
  npzCase('a checksum that is wrong', zipFile(entries, { lies: { crc: 1 } }), /its checksum is wrong/),
  npzCase(
    'sizes that lie',
    zipFile(entries, { lies: { unpacked: 1000 } }),
    /declare 1000 without compression/,
  ),
  npzCase(
    'deflated to more than declared',
    zipFile(entries, { deflated: true, lies: { unpacked: 200 } }),
    /more than the declared 200 bytes|cut off/,
  ),
  npzCase(
    'deflated to less than declared',
    zipFile(entries, { deflated: true, lies: { unpacked: 900 } }),
    /declared 900 bytes|cut off or holds/,
  ),
  npzCase(
    'a bomb',
    zipFile(
      { 'x_train.npy': npyFile([2 ** 10, 256, 256], new Uint8Array(2 ** 26)), 'y_train.npy': y },
      { deflated: true },
    ),
    /at most 200 times their size/,
  ),
  npzCase(
    'a bomb that lies',
    zipFile(entries, { deflated: true, lies: { unpacked: 0xfffffff0 } }),
    /declare 4294967280/,
  ),
  npzCase('an entry beyond the file', zipFile(entries, { lies: { offset: 1e6 } }), /end beyond the file/),
  npzCase(
    'an entry longer than the file',
    zipFile(entries, { lies: { packed: 1e6, unpacked: 1e6 } }),
    /end beyond the file/,
  ),
  npzCase(
    '60,000 declared entries',
    zipFile(entries, { lies: { entries: 60_000 } }),
    /declares 60000 entries/,
  ),
  npzCase(
    'a directory of 4 GB',
    zipFile(entries, { lies: { directoryBytes: 0xfffffff0 } }),
    /declares 2 entries in 4294967280 bytes/,
  ),
  npzCase('an encrypted entry', zipFile(entries, { lies: { flags: 1 } }), /it is encrypted/),
  npzCase('an unknown compression', zipFile(entries, { lies: { method: 14 } }), /method 14/),
  npzCase(
    'an entry in the middle of another',
    zipFile(entries, { lies: { offset: 5 } }),
    /its local header is damaged/,
  ),
];

const cifarRows = makeRows(6, [32, 32, 3]);
const batch = cifarBatch(cifarRows);
const cifarCase = (name: string, files: Files, says: RegExp): HostileCase => ({
  name: `CIFAR-10: ${name}`,
  make: inFiles(files),
  says,
});

const cifarCases: readonly HostileCase[] = [
  cifarCase(
    'an empty batch',
    { 'data_batch_1.bin': Buffer.alloc(0) },
    /data_batch_1.bin: expected records of 3073 bytes/,
  ),
  cifarCase('cut off', { 'data_batch_1.bin': batch.subarray(0, -1) }, /end within record 5/),
  cifarCase(
    'a label of 200',
    { 'data_batch_1.bin': batch, 'data_batch_2.bin': Buffer.concat([Buffer.from([200]), batch.subarray(1)]) },
    /data_batch_2.bin, record 0: .* but got the label 200/,
  ),
  cifarCase(
    'three names',
    {
      'data_batch_1.bin': cifarBatch(makeRows(6, [32, 32, 3], 5)),
      'batches.meta.txt': Buffer.from('a\nb\nc\n'),
    },
    /expected a label below 3 \(a, b, c\), but got the label 3/,
  ),
  cifarCase(
    'the same name twice',
    { 'data_batch_1.bin': batch, 'batches.meta.txt': Buffer.from('a\nb\nb\n') },
    /a different name for each class/,
  ),
  cifarCase(
    'a name with an escape',
    { 'data_batch_1.bin': batch, 'batches.meta.txt': Buffer.from('a\n\x1b[2J\nc\n') },
    /without control characters/,
  ),
  cifarCase(
    'names of a megabyte',
    { 'data_batch_1.bin': batch, 'batches.meta.txt': Buffer.alloc(2 ** 20, 'a') },
    /at most 65536 bytes/,
  ),
  cifarCase(
    'one class',
    { 'data_batch_1.bin': cifarBatch(makeRows(6, [32, 32, 3], 1)) },
    /at least two classes, but got only airplane/,
  ),
];

const pathCases: readonly HostileCase[] = [
  {
    name: 'path: nothing',
    make: (folder) => join(folder, 'nothing'),
    says: /nothing: expected a file or a folder, but there is none at this path/,
  },
  { name: 'path: an empty folder', make: (folder) => folder, says: /expected data in one of these forms/ },
  {
    name: 'path: a CSV file',
    make: inFiles({ 'a.csv': Buffer.from('1,2') }, 'a.csv'),
    says: /a.csv: expected data in one of these forms/,
  },
  {
    name: 'path: an archive',
    make: inFiles({ 'a.tar.gz': gzipSync('') }, 'a.tar.gz'),
    says: /unpack it, and give its folder/,
  },
  { name: 'path: a device', make: () => '/dev/zero', says: /but got something else/ },
  {
    name: 'path: a pipe',
    make: (folder) => {
      makePipe(join(folder, 'a.npz'));
      return join(folder, 'a.npz');
    },
    says: /but got something else/,
  },
  {
    name: 'path: a link to a file',
    make: (folder) => {
      writeFileSync(join(folder, 'b'), stored);
      symlinkSync(join(folder, 'b'), join(folder, 'a.npz'));
      return join(folder, 'a.npz');
    },
    says: /a symbolic link, which is not followed/,
  },
];

export const hostileArrays: readonly HostileCase[] = [
  ...idxCases,
  ...numpyCases,
  ...cifarCases,
  ...pathCases,
];
