/** Which files or folders hold which split, by their names; and the choice of test images where no name says it. */
import { createHash } from 'node:crypto';

const words = {
  train: /(^|[^a-z])train(ing)?([^a-z]|$)/i,
  test: /(^|[^a-z])test(ing)?([^a-z]|$)/i,
  validation: /(^|[^a-z])val(id(ation)?)?([^a-z]|$)/i,
};

export type Splits = {
  readonly train: readonly string[];
  readonly test: readonly string[];
  readonly notes: readonly string[];
};

/** Sorts names by the words train, test and validation in them. Names without such a word are in no list. */
export const findSplits = (names: readonly string[]): Splits => {
  const named = (word: RegExp) => names.filter((name) => word.test(name));
  const [train, test, validation] = [named(words.train), named(words.test), named(words.validation)];
  if (validation.length === 0 || train.length === 0) return { train, test, notes: [] };
  return test.length > 0
    ? { train, test, notes: ['The validation images were left out.'] }
    : {
        train,
        test: validation,
        notes: ['There are no test images, so the validation images are the test images.'],
      };
};

/**
 * Chooses test images among all: of each class the given share, rounded, but at least one and not all of several. Which ones depends on the
 * seed and on each image's index. Answers true for test images. Both splits keep the order of the images.
 */
export const chooseTest = (labels: Uint16Array, share: number, seed: number): readonly boolean[] => {
  const classes = new Map<number, { readonly index: number; readonly key: string }[]>();
  labels.forEach((label, index) => {
    const key = createHash('sha256').update(`${seed}\ntest\n${index}`).digest('hex');
    const members = classes.get(label) ?? [];
    if (members.length === 0) classes.set(label, members);
    members.push({ index, key });
  });
  const isTest = Array<boolean>(labels.length).fill(false);
  for (const members of classes.values()) {
    const count = Math.max(1, Math.min(members.length - 1, Math.round(share * members.length)));
    members.sort((a, b) => (a.key < b.key ? -1 : 1));
    for (const { index } of members.slice(0, members.length === 1 ? 0 : count)) isTest[index] = true;
  }
  return isTest;
};
