/** The labels of a data set as an array: whole numbers, or the names of classes. */
import { fixedLimit, maxClasses, type NpyElement, type NpyHeader, npyElements } from '@funnel/contracts';
import { type ArrayStream, refuseArray, shapeText } from './array-stream.ts';

export type Labels = {
  /** The names of the classes, in order. */
  readonly classes: readonly string[];
  /** [count], indices of `classes`. */
  readonly indices: Uint16Array<ArrayBuffer>;
};

const maxNameCharacters = 100;
const bytesPerCharacter = 4; // numpy keeps names as UTF-32

/** Elements that are read at a time. */
const blockElements = 4096;

/** Calls `use` with each element: where its bytes begin in the view, and its index. */
const eachElement = async (
  stream: ArrayStream,
  { count, bytes }: { readonly count: number; readonly bytes: number },
  use: (view: DataView, at: number, index: number) => void,
): Promise<void> => {
  for (let from = 0; from < count; from += blockElements) {
    const block = Math.min(blockElements, count - from);
    const view = new DataView((await stream.take('labels', block * bytes)).buffer);
    for (let i = 0; i < block; i++) use(view, i * bytes, from + i);
  }
};

const readNumbers = async (
  stream: ArrayStream,
  count: number,
  { bytes, read }: NpyElement,
): Promise<Labels> => {
  const indices = new Uint16Array(count);
  let largest = 0;
  await eachElement(stream, { count, bytes }, (view, at, index) => {
    const label = read(view, at);
    if (!(label >= 0 && label < maxClasses))
      refuseArray('labels', `whole numbers from 0 to ${maxClasses - 1}`, `${label} as label ${index}`);
    indices[index] = label;
    largest = Math.max(largest, label);
  });
  return { classes: Array.from({ length: largest + 1 }, (_, label) => String(label)), indices };
};

/** The text of numpy's UTF-32, which ends with zeros. */
const textAt = (view: DataView, at: number, characters: number): string => {
  let text = '';
  for (let i = 0; i < characters; i++) {
    const point = view.getUint32(at + bytesPerCharacter * i, true);
    if (point === 0) break;
    if (point > 0x10_ffff || (point >= 0xd800 && point < 0xe000))
      return refuseArray('labels', 'names in UTF-32', `the character ${point}`);
    text += String.fromCodePoint(point);
  }
  return text.normalize('NFC');
};

const readNames = async (stream: ArrayStream, count: number, characters: number): Promise<Labels> => {
  const found = new Map<string, number>();
  const indices = new Uint16Array(count);
  await eachElement(stream, { count, bytes: characters * bytesPerCharacter }, (view, at, index) => {
    const name = textAt(view, at, characters);
    if (!found.has(name)) found.set(name, found.size);
    if (found.size > maxClasses)
      refuseArray('labels', `at most ${maxClasses} different names`, 'more of them');
    indices[index] = found.get(name)!;
  });
  const classes = [...found.keys()].sort();
  const places = new Map(classes.map((name, place) => [name, place]));
  const order = [...found.keys()].map((name) => places.get(name)!);
  return { classes, indices: indices.map((first) => order[first]!) };
};

const countOf = ({ shape }: NpyHeader): number => {
  const [count = 0] = shape;
  if (shape.length !== 1 || count === 0)
    return refuseArray('labels', 'the shape [count]', shapeText(shape), 'save labels.reshape(-1)');
  const most = fixedLimit('arrayImages');
  if (count > most) return refuseArray('labels', `at most ${most} labels`, String(count));
  return count;
};

/** Reads the next array. The names of classes are in alphabetical order; numbers stand for the names 0, 1, …. Throws INVALID_REQUEST. */
export const readLabels = async (stream: ArrayStream): Promise<Labels> => {
  const header = await stream.header('labels');
  const count = countOf(header);
  const numbers = npyElements[header.type];
  if (numbers && !numbers.isFloat) return readNumbers(stream, count, numbers);
  const characters = Number(/^<U(\d+)$/.exec(header.type)?.[1] ?? 0);
  if (characters > 0 && characters <= maxNameCharacters) return readNames(stream, count, characters);
  return refuseArray(
    'labels',
    `whole numbers, or names of at most ${maxNameCharacters} characters`,
    `the type ${header.type}`,
    "save labels.astype('int64') or labels.astype('str')",
  );
};
