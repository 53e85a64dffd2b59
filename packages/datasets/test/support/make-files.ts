/** Writes data sets in the formats that people have. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { encode } from 'fast-png';
import { ByteWriter, parquetWrite } from 'hyparquet-writer';

export type Rows = {
  /** [height, width, channels]. */
  readonly shape: readonly [number, number, number];
  readonly labels: readonly number[];
  /** Bytes [n, …shape]. */
  readonly pixels: Uint8Array;
};

const imageBytes = ({ shape }: Rows): number => shape[0] * shape[1] * shape[2];
export const imageOf = (rows: Rows, index: number): Uint8Array =>
  rows.pixels.subarray(index * imageBytes(rows), (index + 1) * imageBytes(rows));

/** Images whose byte k is 7 k mod 256, in classes that take turns. */
export const makeRows = (
  count: number,
  shape: readonly [number, number, number] = [4, 5, 1],
  classes = 2,
): Rows => ({
  shape,
  labels: Array.from({ length: count }, (_, i) => i % classes),
  pixels: Uint8Array.from({ length: count * shape[0] * shape[1] * shape[2] }, (_, k) => (7 * k) % 256),
});

export const idxFile = (shape: readonly number[], values: Uint8Array, type = 8): Buffer => {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt16BE(type, 1); // 0, type, the number of axes
  header[2] = type;
  header[1] = 0;
  header[3] = shape.length;
  shape.forEach((size, axis) => {
    header.writeUInt32BE(size, 4 + 4 * axis);
  });
  return Buffer.concat([header, values]);
};

/** The NPY file of an array of numpy's type `type`. `header` replaces the text of its header. */
export const npyFile = (
  shape: readonly number[],
  values: Uint8Array,
  type = '|u1',
  header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`,
): Buffer => {
  const text = Buffer.from(`${header.padEnd(117)}\n`, 'latin1');
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, 0, 0]);
  start.writeUInt16LE(text.length, 8);
  return Buffer.concat([start, text, values]);
};

/** What a hostile archive says instead of the truth. */
export type ZipLies = {
  readonly crc?: number;
  readonly packed?: number;
  readonly unpacked?: number;
  readonly method?: number;
  readonly flags?: number;
  readonly offset?: number;
  readonly entries?: number;
  readonly directoryBytes?: number;
};

const words = (...values: readonly (readonly [bytes: 2 | 4, value: number])[]): Buffer =>
  Buffer.concat(
    values.map(([bytes, value]) => {
      const word = Buffer.alloc(bytes);
      if (bytes === 2) word.writeUInt16LE(value);
      else word.writeUInt32LE(value);
      return word;
    }),
  );

/** A zip archive, as np.savez (stored) and np.savez_compressed (deflated) write it. */
export const zipFile = (
  entries: Readonly<Record<string, Uint8Array>>,
  { deflated = false, lies = {} }: { readonly deflated?: boolean; readonly lies?: ZipLies } = {},
): Buffer => {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(entries)) {
    const packed = deflated ? deflateRawSync(content) : Buffer.from(content);
    const common = words(
      [2, 20],
      [2, lies.flags ?? 0],
      [2, lies.method ?? (deflated ? 8 : 0)],
      [4, 0],
      [4, lies.crc ?? crc32(content)],
      [4, lies.packed ?? packed.length],
      [4, lies.unpacked ?? content.length],
      [2, name.length],
      [2, 0],
    );
    const local = Buffer.concat([words([4, 0x04034b50]), common, Buffer.from(name), packed]);
    directory.push(
      words([4, 0x02014b50], [2, 20]),
      common,
      words([2, 0], [2, 0], [2, 0], [4, 0], [4, lies.offset ?? at]),
      Buffer.from(name),
    );
    parts.push(local);
    at += local.length;
  }
  const list = Buffer.concat(directory);
  const count = lies.entries ?? Object.keys(entries).length;
  const end = words(
    [4, 0x06054b50],
    [4, 0],
    [2, count],
    [2, count],
    [4, lies.directoryBytes ?? list.length],
    [4, at],
    [2, 0],
  );
  return Buffer.concat([...parts, list, end]);
};

export const pngFile = (rows: Rows, index: number): Uint8Array => {
  const [height, width, channels] = rows.shape;
  return encode({ width, height, channels, data: imageOf(rows, index) });
};

/** A Parquet file with a column `image`, a struct of bytes and path as Hugging Face writes it, and a column `label`. */
export const parquetFile = (
  pictures: readonly (Uint8Array | null)[],
  labels: readonly (bigint | string | null)[],
  {
    names,
    rowGroupSize = 100,
    codec = 'SNAPPY',
  }: {
    readonly names?: readonly string[];
    readonly rowGroupSize?: number;
    readonly codec?: 'SNAPPY' | 'UNCOMPRESSED';
  } = {},
): Uint8Array => {
  const writer = new ByteWriter();
  const isText = labels.some((label) => typeof label === 'string');
  const features = { image: { _type: 'Image' }, label: { names, _type: 'ClassLabel' } };
  parquetWrite({
    writer,
    codec,
    rowGroupSize,
    columnData: [
      { name: 'image', data: pictures.map((bytes, i) => ({ bytes, path: `${i}.png` })) },
      { name: 'label', data: [...labels] },
    ],
    schema: [
      { name: 'root', num_children: 2 },
      { name: 'image', num_children: 2, repetition_type: 'OPTIONAL' },
      { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
      { name: 'path', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
      isText
        ? { name: 'label', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' }
        : { name: 'label', type: 'INT64', repetition_type: 'OPTIONAL' },
    ],
    kvMetadata: names ? [{ key: 'huggingface', value: JSON.stringify({ info: { features } }) }] : [],
  });
  return new Uint8Array(writer.getBuffer());
};

/** Records of CIFAR-10: the label, then the planes of red, green and blue. */
export const cifarBatch = (rows: Rows): Buffer =>
  Buffer.concat(
    rows.labels.map((label, i) => {
      const image = imageOf(rows, i);
      const planes = Array.from({ length: 3072 }, (_, k) => image[(k % 1024) * 3 + Math.floor(k / 1024)]!);
      return Buffer.from([label, ...planes]);
    }),
  );

/** Files by their paths in a folder; makes the folders too. */
export const writeFiles = (folder: string, files: Readonly<Record<string, Uint8Array>>): string => {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content);
  }
  return folder;
};
