/** Finds the columns of pictures and labels, and the names of the classes, which Hugging Face notes in the file. */
import type { SchemaTree } from 'hyparquet';
import { DatasetFault } from '../fault.ts';
import type { ReadOptions } from '../options.ts';
import type { Shard } from './shard.ts';

export type Columns = {
  readonly image: string;
  readonly label: string;
  /** The names of the classes 0, 1, …; null if the file has none. */
  readonly classes: readonly string[] | null;
};

/** What Hugging Face notes about a column. */
type Feature = { readonly _type?: unknown; readonly names?: unknown };

/** The features by column, as `datasets` writes them; none if the file has no such note, or if its note is broken. */
const featuresOf = ({ noted }: Shard): Readonly<Record<string, Feature>> => {
  try {
    const note = JSON.parse(noted.get('huggingface') ?? '{}') as { info?: { features?: unknown } } | null;
    const features = note?.info?.features;
    return features !== null && typeof features === 'object' ? (features as Record<string, Feature>) : {};
  } catch {
    return {};
  }
};

const isBinary = ({ element }: SchemaTree): boolean =>
  element.type === 'BYTE_ARRAY' &&
  element.converted_type !== 'UTF8' &&
  element.logical_type?.type !== 'STRING';

/** Bytes, or a struct that has bytes. */
const mayBePictures = (column: SchemaTree): boolean =>
  column.children.length === 0
    ? isBinary(column)
    : column.children.some((member) => member.element.name === 'bytes' && isBinary(member));

const usualLabels: readonly string[] = ['label', 'labels', 'class', 'target', 'y'];

/** The one column that fits, or the one that `given` names. */
const choose = (
  { path, names }: Shard,
  what: string,
  option: string,
  given: string | null,
  fitting: readonly string[],
): string => {
  const all = `its columns are ${names.join(', ')}`;
  if (given !== null) {
    if (names.includes(given)) return given;
    throw new DatasetFault(`${path}: expected the column ${given}, but ${all}`);
  }
  if (fitting.length === 1) return fitting[0]!;
  const got = fitting.length === 0 ? all : `${fitting.join(' and ')} may be it`;
  throw new DatasetFault(`${path}: expected one column of ${what}, but ${got}: ${option} names the column`);
};

export const findColumns = (shard: Shard, { imageColumn, labelColumn }: ReadOptions): Columns => {
  const features = featuresOf(shard);
  const ofType = (type: string) => shard.names.filter((name) => features[name]?._type === type);
  const named = ofType('ClassLabel');
  const pictures = shard.columns.filter(mayBePictures).map(({ element }) => element.name);
  const usual = shard.names.filter((name) => usualLabels.includes(name.toLowerCase()));
  const image = choose(shard, 'pictures', '--image-column', imageColumn, pictures);
  const label = choose(shard, 'labels', '--label-column', labelColumn, named.length > 0 ? named : usual);
  const names = features[label]?.names;
  const areNames = Array.isArray(names) && names.every((name) => typeof name === 'string');
  return { image, label, classes: areNames ? names : null };
};
