/** The classes of a data set: their names and their order, and labels as indices of them. */
import { maxClasses } from '@funnel/contracts';
import { DatasetFault } from './fault.ts';
import type { Label, Part, Source } from './source.ts';

export type Classes = {
  readonly names: readonly string[];
  readonly train: Uint16Array;
  /** Null if the source has no test images. */
  readonly test: Uint16Array | null;
};

const nameOf = (label: Label): string => String(label).normalize('NFC');
/** Equal labels have equal keys. */
const keyOf = (label: Label): Label => (typeof label === 'number' ? label : nameOf(label));

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Numbers in their order, also when they are texts; else by characters, as in Keras and torchvision. */
const inOrder = (labels: readonly Label[]): readonly Label[] => {
  const areNumbers = labels.every((label) => typeof label === 'number' || /^\d{1,15}$/.test(label));
  return areNumbers
    ? labels.toSorted((a, b) => Number(a) - Number(b) || compareText(String(a), String(b)))
    : labels.toSorted((a, b) => compareText(String(a), String(b)));
};

/** Whether every label is a whole number of at least 0, or the name of a class. */
const checkLabels = ({ labels, placeOf }: Part): void => {
  const wrong = labels.findIndex(
    (label) => typeof label === 'number' && !(Number.isSafeInteger(label) && label >= 0),
  );
  if (wrong < 0) return;
  const meaning = labels[wrong] === -1 ? ', which usually means that there is no label' : '';
  throw new DatasetFault(
    `${placeOf(wrong)}: expected a whole number of at least 0, but got ${labels[wrong]}${meaning}`,
  );
};

const indicesOf = (
  part: Part,
  indexOf: (label: Label) => number | undefined,
  expected: string,
): Uint16Array =>
  Uint16Array.from(part.labels, (label, i) => {
    const index = indexOf(label);
    if (index === undefined)
      throw new DatasetFault(`${part.placeOf(i)}: expected ${expected}, but got the label ${label}`);
    return index;
  });

/** `names` for the labels 0, 1, …, or for labels that are names themselves. */
const givenClasses = ({ train, test }: Source, given: readonly string[]): Classes => {
  const names = given.map((name) => name.normalize('NFC'));
  const byName = new Map(names.map((name, i) => [name, i]));
  const indexOf = (label: Label): number | undefined =>
    typeof label === 'number' ? (label < names.length ? label : undefined) : byName.get(nameOf(label));
  const shown = names.length > 12 ? `one of ${names.length} classes` : names.join(', ');
  const expected =
    typeof train.labels[0] === 'number' ? `a label below ${names.length} (${shown})` : `a class (${shown})`;
  return {
    names,
    train: indicesOf(train, indexOf, expected),
    test: test && indicesOf(test, indexOf, expected),
  };
};

/** The classes that the labels for training have. */
const foundClasses = (path: string, { train, test }: Source): Classes => {
  const distinct = new Set<Label>();
  for (const label of train.labels) {
    distinct.add(keyOf(label));
    if (distinct.size > maxClasses)
      throw new DatasetFault(
        `${path}: expected at most ${maxClasses} classes, but the labels have more values: they are no classes`,
      );
  }
  const labels = inOrder([...distinct]);
  const indices = new Map(labels.map((label, i) => [label, i]));
  const expected = 'a class of the training images (--classes names classes that have none)';
  const indexOf = (label: Label): number | undefined => indices.get(keyOf(label));
  return {
    names: labels.map(nameOf),
    train: indicesOf(train, indexOf, expected),
    test: test && indicesOf(test, indexOf, expected),
  };
};

/** Names the classes: by `given`, else by the files, else by the labels themselves. Throws DatasetFault. */
export const findClasses = (path: string, source: Source, given: readonly string[] | null): Classes => {
  checkLabels(source.train);
  if (source.test) checkLabels(source.test);
  const named = given ?? source.classes;
  const classes = named ? givenClasses(source, named) : foundClasses(path, source);
  if (new Set(classes.train).size < 2)
    throw new DatasetFault(
      `${path}: expected training images of at least two classes, but got only ${classes.names[classes.train[0] ?? 0] ?? 'none'}`,
    );
  return classes;
};
