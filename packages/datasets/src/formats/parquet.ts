/** Parquet files with a column of pictures and a column of labels, one or several for each split, as Hugging Face has them. */
import { join } from 'node:path';
import { refuseFile } from '../fault.ts';
import { listFolder } from '../files.ts';
import { maxPictureBytes } from '../images/decode.ts';
import type { ReadOptions } from '../options.ts';
import { type Columns, findColumns } from '../parquet/columns.ts';
import { openShard, type Shard } from '../parquet/shard.ts';
import type { Format, Label, Part, Picture } from '../source.ts';
import { findSplits } from '../splits.ts';

const isParquet = (name: string): boolean => /\.parquet$/i.test(name);

/** A label as the reader of Parquet gives it. */
const toLabel = (place: string, value: unknown): Label => {
  if (typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean')
    return Number(value);
  if (typeof value === 'string') return value;
  return refuseFile(
    place,
    `expected a whole number or a text as a label, but got ${value === null || value === undefined ? 'none' : typeof value}`,
  );
};

/** The bytes of a picture: the value itself, or its member `bytes`, as Hugging Face stores pictures. */
const toPicture = (path: string, value: unknown): Picture => {
  const bytes =
    value instanceof Uint8Array ? value : (value as { bytes?: unknown } | null | undefined)?.bytes;
  if (!(bytes instanceof Uint8Array))
    return refuseFile(
      path,
      'expected the bytes of a picture, but got none: the file has only names of pictures, or nothing, in this row',
    );
  if (bytes.length > maxPictureBytes)
    return refuseFile(
      path,
      `expected at most ${maxPictureBytes} bytes of a picture, but got ${bytes.length}`,
    );
  return { path, bytes };
};

/** The values of a column in all shards, with their places. */
async function* valuesIn(
  shards: readonly Shard[],
  column: string,
): AsyncGenerator<{ readonly place: string; readonly value: unknown }> {
  for (const shard of shards) {
    let row = 0;
    for await (const values of shard.column(column))
      for (const value of values) yield { place: `${shard.path}, row ${row++}`, value };
  }
}

async function* picturesIn(shards: readonly Shard[], { image }: Columns): AsyncGenerator<Picture> {
  for await (const { place, value } of valuesIn(shards, image)) yield toPicture(place, value);
}

const labelsIn = async (shards: readonly Shard[], { label }: Columns): Promise<readonly Label[]> => {
  const labels: Label[] = [];
  for await (const { place, value } of valuesIn(shards, label)) labels.push(toLabel(place, value));
  return labels;
};

const readPart = async (shards: readonly Shard[], columns: Columns): Promise<Part> => {
  for (const { path, names } of shards)
    for (const name of [columns.image, columns.label])
      if (!names.includes(name)) refuseFile(path, `expected the column ${name}, but got ${names.join(', ')}`);
  return {
    labels: await labelsIn(shards, columns),
    placeOf: (index) => {
      let first = 0;
      for (const { path, rows } of shards) {
        if (index < first + rows) return `${path}, row ${index - first}`;
        first += rows;
      }
      return `row ${index}`;
    },
    images: { kind: 'pictures', pictures: () => picturesIn(shards, columns) },
  };
};

/** The names of all shards in a folder, or in its folder `data`, where Hugging Face's repositories have them. */
const shardsIn = async (folder: string, files: readonly string[]): Promise<readonly string[]> => {
  const own = files.filter(isParquet);
  if (own.length > 0) return own.map((name) => join(folder, name));
  const data = join(folder, 'data');
  return (await listFolder(data)).files.filter(isParquet).map((name) => join(data, name));
};

export const parquet: Format = {
  title: 'Parquet files',
  looksLike: 'a Parquet file, or a folder with files such as train-00000-of-00002.parquet',
  recognises: ({ files, folders }) =>
    files.some(isParquet) || (folders.length === 1 && folders[0] === 'data'),
  open: async (found, options: ReadOptions) => {
    const paths = await shardsIn(found.folder, found.files);
    if (paths.length === 0)
      return refuseFile(
        found.path,
        'expected Parquet files in its folder data, but got none: for other data, give the folder that holds them',
      );
    const splits = findSplits(paths.map((path) => path.slice(found.folder.length)));
    const named = (names: readonly string[]) => names.map((name) => `${found.folder}${name}`);
    const trainPaths = splits.train.length > 0 ? named(splits.train) : paths;
    const train = await Promise.all(trainPaths.map(openShard));
    const columns = findColumns(train[0]!, options);
    const test = splits.train.length > 0 ? await Promise.all(named(splits.test).map(openShard)) : [];
    return {
      train: await readPart(train, columns),
      test: test.length === 0 ? null : await readPart(test, columns),
      classes: columns.classes,
      notes: splits.notes,
    };
  },
};
