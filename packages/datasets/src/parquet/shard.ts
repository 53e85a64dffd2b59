/**
 * One Parquet file, read by hyparquet: its columns, and the values of a column, a group of rows at a time. Declared sizes are checked before
 * memory is taken. The format: https://github.com/apache/parquet-format
 */
import { maxSplitImages } from '@funnel/contracts';
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type SchemaTree,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { decoding, refuseFile } from '../fault.ts';
import { type OpenFile, openFile, readExactly, withFile } from '../files.ts';
import { refuseBomb } from '../unpack.ts';

export type Shard = {
  readonly path: string;
  readonly rows: number;
  /** The columns, with their members if they have any. */
  readonly columns: readonly SchemaTree[];
  readonly names: readonly string[];
  /** What the writer has noted in the file, by key. */
  readonly noted: ReadonlyMap<string, string>;
  /** The values of a column, one for each row, in as many arrays as there are groups of rows. */
  readonly column: (name: string) => AsyncGenerator<readonly unknown[]>;
};

const maxMetadataBytes = 64 * 2 ** 20;
/** Of one column in one group of rows, which is in memory as a whole. */
const maxGroupBytes = 512 * 2 ** 20;

/** hyparquet's compressors. Each checks the size that a page declares, which may differ from the size that the metadata declare. */
const boundedCompressors = (path: string): Compressors =>
  Object.fromEntries(
    Object.entries(compressors).map(([codec, unpack]) => [
      codec,
      (input: Uint8Array, bytes: number): Uint8Array => {
        refuseBomb(path, input.length, bytes);
        if (!(bytes >= 0 && bytes <= maxGroupBytes))
          refuseFile(path, `expected pages of at most ${maxGroupBytes} bytes, but got one of ${bytes}`);
        return unpack(input, bytes);
      },
    ]),
  );

const bufferOf = (path: string, file: OpenFile): AsyncBuffer => ({
  byteLength: file.bytes,
  slice: async (from, to = file.bytes) => {
    if (!(from >= 0 && to >= from && to - from <= maxGroupBytes))
      refuseFile(
        path,
        `expected at most ${maxGroupBytes} bytes in a piece, but its metadata say ${from} to ${to}`,
      );
    return (await readExactly(path, file, from, to - from)).buffer;
  },
});

const readMetadata = async (path: string, file: OpenFile): Promise<FileMetaData> => {
  if (file.bytes < 12) refuseFile(path, `expected a Parquet file, but it has only ${file.bytes} bytes`);
  const end = await readExactly(path, file, file.bytes - 8, 8);
  if (end.toString('latin1', 4) !== 'PAR1')
    refuseFile(path, 'expected a Parquet file, which ends with PAR1: it is cut off, or another kind of file');
  const bytes = end.readUInt32LE(0);
  if (bytes > maxMetadataBytes || bytes + 12 > file.bytes)
    refuseFile(
      path,
      `expected metadata of at most ${Math.min(maxMetadataBytes, file.bytes - 12)} bytes, but it declares ${bytes}`,
    );
  return parquetMetadataAsync(bufferOf(path, file), { geoparquet: false, initialFetchSize: bytes + 8 });
};

/** The number of rows. No picture has less than a byte, so a file has fewer rows than bytes. */
const countRows = (path: string, { num_rows, row_groups }: FileMetaData, bytes: number): number => {
  const rows = Number(num_rows);
  const sum = row_groups.reduce((total, group) => total + Number(group.num_rows), 0);
  if (rows !== sum || !row_groups.every((group) => Number(group.num_rows) >= 0))
    refuseFile(path, `expected ${rows} rows in all groups, but its metadata say ${sum}`);
  if (!(rows >= 1 && rows <= Math.min(bytes, maxSplitImages)))
    refuseFile(
      path,
      `expected 1 to ${Math.min(bytes, maxSplitImages)} rows in ${bytes} bytes, but its metadata say ${rows}`,
    );
  return rows;
};

/** Checks the declared sizes of a column in every group of rows. */
const checkSizes = (path: string, { row_groups }: FileMetaData, name: string): void => {
  for (const [i, { columns }] of row_groups.entries())
    for (const { meta_data: meta } of columns) {
      if (meta?.path_in_schema[0] !== name) continue;
      const [packed, unpacked] = [Number(meta.total_compressed_size), Number(meta.total_uncompressed_size)];
      const place = `${path}, column ${name}, group ${i}`;
      refuseBomb(place, packed, unpacked);
      if (!(packed >= 0 && packed <= maxGroupBytes && unpacked >= 0 && unpacked <= maxGroupBytes))
        refuseFile(
          place,
          `expected at most ${maxGroupBytes} bytes, but got ${unpacked} in ${packed}: write smaller groups of rows`,
        );
    }
};

async function* readColumn(
  path: string,
  metadata: FileMetaData,
  name: string,
): AsyncGenerator<readonly unknown[]> {
  await decoding(path, 'the metadata of a Parquet file', () => checkSizes(path, metadata, name));
  const file = await openFile(path);
  try {
    let rowStart = 0;
    for (const { num_rows } of metadata.row_groups) {
      const rowEnd = rowStart + Number(num_rows);
      const found = await decoding(path, `whole rows ${rowStart} to ${rowEnd} of the column ${name}`, () =>
        parquetReadObjects({
          file: bufferOf(path, file),
          metadata,
          columns: [name],
          rowStart,
          rowEnd,
          compressors: boundedCompressors(path),
          utf8: false,
          geoparquet: false,
        }),
      );
      yield found.map((row) => row[name]);
      rowStart = rowEnd;
    }
  } finally {
    await file.handle.close();
  }
}

/** The columns by the schema. Throws a TypeError for a schema that is damaged. */
const columnsOf = (metadata: FileMetaData): readonly SchemaTree[] => {
  const { children } = parquetSchema(metadata);
  for (const { element } of [...children, ...children.flatMap((column) => column.children)])
    if (typeof element.name !== 'string') throw new TypeError('Expected the names of columns');
  return children;
};

/** Reads and checks the metadata. Throws DatasetFault. */
export const openShard = (path: string): Promise<Shard> =>
  withFile(path, (file) =>
    decoding(path, 'the metadata of a Parquet file', async () => {
      const metadata = await readMetadata(path, file);
      const rows = countRows(path, metadata, file.bytes);
      const columns = columnsOf(metadata);
      return {
        path,
        rows,
        columns,
        names: columns.map(({ element }) => element.name),
        noted: new Map(metadata.key_value_metadata?.map(({ key, value = '' }) => [key, value]) ?? []),
        column: (name) => readColumn(path, metadata, name),
      };
    }),
  );
