/**
 * A compact letter display (Piepho 2004): rows that cannot be told apart have a letter in common, and rows that can have none. Each letter is
 * a largest set of rows of which no two can be told apart.
 */

/** The first rows of a ranking are compared; a page that starts further down has no letters. Each row costs its images. */
export const lettered = 50;

const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** The largest sets in which all rows are alike (Bron & Kerbosch 1973, with a pivot); null if there are more than `most`. */
const alikeSets = (count: number, alike: readonly ReadonlySet<number>[], most: number): number[][] | null => {
  const found: number[][] = [];
  const grow = (set: readonly number[], left: readonly number[], done: readonly number[]): boolean => {
    if (left.length === 0 && done.length === 0) {
      found.push([...set].sort((a, b) => a - b));
      return found.length <= most;
    }
    const neighboursLeft = (row: number): number => left.filter((other) => alike[row]!.has(other)).length;
    const pivot = [...left, ...done].reduce((best, row) =>
      neighboursLeft(row) > neighboursLeft(best) ? row : best,
    );
    let [rest, tried] = [left, done];
    for (const row of left.filter((each) => !alike[pivot]!.has(each))) {
      const near = (other: number): boolean => alike[row]!.has(other);
      if (!grow([...set, row], rest.filter(near), tried.filter(near))) return false;
      rest = rest.filter((other) => other !== row);
      tried = [...tried, row];
    }
    return true;
  };
  const all = Array.from({ length: count }, (_, row) => row);
  return grow([], all, []) ? found : null;
};

/**
 * The letters of each of `count` rows, in alphabetical order from the first row. `differ`: whether two rows can be told apart. Null if the
 * alphabet is too short.
 */
export const lettersOf = (
  count: number,
  differ: (row: number, other: number) => boolean,
): readonly string[] | null => {
  if (count === 0) return [];
  const alike = Array.from({ length: count }, () => new Set<number>());
  for (let row = 0; row < count; row++)
    for (let other = row + 1; other < count; other++)
      if (!differ(row, other)) {
        alike[row]!.add(other);
        alike[other]!.add(row);
      }
  const sets = alikeSets(count, alike, alphabet.length);
  if (!sets) return null;
  sets.sort((a, b) => a[0]! - b[0]! || a.at(-1)! - b.at(-1)! || a.length - b.length);
  const letters = new Array<string>(count).fill('');
  sets.forEach((set, i) => {
    for (const row of set) letters[row] = `${letters[row]}${alphabet[i]}`;
  });
  return letters;
};

/** `a–d` for `abcd`: three or more letters in a row are a range. */
export const lettersText = (letters: string): string => {
  const runs: string[] = [];
  for (const letter of letters) {
    const run = runs.at(-1) ?? '';
    const follows = run !== '' && alphabet.indexOf(run.at(-1)!) + 1 === alphabet.indexOf(letter);
    if (follows) runs[runs.length - 1] = run + letter;
    else runs.push(letter);
  }
  return runs.map((run) => (run.length > 2 ? `${run[0]}–${run.at(-1)}` : run)).join('');
};
