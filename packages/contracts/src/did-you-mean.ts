/**
 * The names that a misspelt or shortened word may stand for. Every "did you mean …?" of Funnel comes from here: keys and values of requests,
 * attacks, presets and their settings, commands and options.
 */

/** Edits (insert, delete, replace, swap neighbours) from `a` to `b`: the optimal string alignment distance. */
const distance = (a: string, b: string): number => {
  let previous: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next[j] = Math.min(
        row[j]! + 1,
        next[j - 1]! + 1,
        row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
        swapped ? previous[j - 2]! + 1 : Number.POSITIVE_INFINITY,
      );
    }
    previous = row;
    row = next;
  }
  return row[b.length]!;
};

/** A word resembles `name` if it is at most this many edits away: a third of the letters of `name`. */
const maxEdits = (name: string): number => Math.max(1, Math.floor(name.length / 3));

/** The names that the fewest edits of the word give. */
const nearest = (word: string, names: readonly string[]): readonly string[] => {
  const close = names
    .filter((name) => Math.abs(name.length - word.length) <= maxEdits(name)) // an edit changes the length by at most one
    .map((name) => ({ name, edits: distance(word, name.toLowerCase()) }))
    .filter(({ name, edits }) => edits <= maxEdits(name));
  const fewest = Math.min(...close.map(({ edits }) => edits));
  return close.filter(({ edits }) => edits === fewest).map(({ name }) => name);
};

/** A longer word resembles no name. */
const maxWord = 100;
/** More names than these would not help. */
const maxNames = 8;

/** `learningRate` → learning, rate; `pgd-linf` → pgd, linf */
const partsOf = (name: string): readonly string[] =>
  name
    .split(/[-:_.\s]|(?<=[a-z0-9])(?=[A-Z])/)
    .filter((part) => part !== '')
    .map((part) => part.toLowerCase());

/** Words of other programs that no rule would find. */
const foreignWords: ReadonlyMap<string, string> = new Map([
  ['lr', 'rate'],
  ['eps', 'epsilon'],
  ['bs', 'batchSize'],
  ['robustness', 'robustAccuracy'],
  ['maximize', 'max'],
  ['maximise', 'max'],
  ['minimize', 'min'],
  ['minimise', 'min'],
]);

/** The first of these rules that finds names decides. `word` is in lower case, `parts` are its parts. Names are compared in lower case. */
const rules: readonly ((
  word: string,
  names: readonly string[],
  parts: readonly string[],
) => readonly string[])[] = [
  // `pgd` → `pgd-linf`, `pgd-l2`; `eps` → `epsilon`
  (word, names) => names.filter((name) => word.length >= 2 && name.toLowerCase().startsWith(word)),
  nearest,
  // `autoattack` → `preset:autoattack`
  (word, names) => names.filter((name) => word.length >= 3 && name.toLowerCase().includes(word)),
  // `fgsm-linf` → `fgsm`
  (_, names, parts) => names.filter((name) => parts.includes(name.toLowerCase())),
  // `learningRate` → `classifierRate`, `dropRate`: the last part says what kind of value it is
  (_, names, parts) => names.filter((name) => parts.length > 1 && partsOf(name).includes(parts.at(-1)!)),
];

/** The names that `word` resembles most, in their order; none when no name or too many names resemble it. */
export const resembling = (word: string, names: readonly string[]): readonly string[] => {
  if (word.length > maxWord) return [];
  const full = foreignWords.get(word.toLowerCase()) ?? word;
  const parts = partsOf(full);
  for (const rule of rules) {
    const found = rule(full.toLowerCase(), names, parts);
    if (found.length > 0) return found.length <= maxNames ? found : [];
  }
  return [];
};

/** "a, b or c" */
export const joinWithOr = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

/** `did you mean "pgd-linf" or "pgd-l2"?`; null when the word resembles no name. */
export const didYouMean = (word: string, names: readonly string[]): string | null => {
  const found = resembling(word, names);
  return found.length === 0 ? null : `did you mean ${joinWithOr(found.map((name) => `"${name}"`))}?`;
};
