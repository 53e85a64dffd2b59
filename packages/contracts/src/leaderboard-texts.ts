/** What the terminal and the pages say about the rows of a leaderboard in the same words. */
import { lettered } from './letters.ts';
import type { LeaderboardRow } from './resources.ts';
import { plural } from './text.ts';

/** Whether a row with an interval has no letter though the first such row has one: then it is about another data set or other attacks. */
export const lacksLetters = (rows: readonly Pick<LeaderboardRow, 'letters' | 'interval'>[]): boolean => {
  const measured = rows.slice(0, lettered).filter(({ interval }) => interval !== null);
  return measured[0]?.letters !== undefined && measured.some(({ letters }) => letters === undefined);
};

export const noLettersText =
  'Rows without a letter are not compared: their data set, or the attacks that they met and the settings of these, differ from those of the first row.';

/** Where rows have several seeds, their counts add up: `Counts are of 90 images × 2 seeds.` Null where every row has one seed. */
export const pooledText = (rows: readonly Pick<LeaderboardRow, 'seeds' | 'counts'>[]): string | null => {
  const pooled = rows.filter(({ seeds }) => seeds.length > 1);
  const texts = new Set(
    pooled.map(
      ({ seeds, counts }) =>
        `${plural(counts.images / seeds.length, 'image')} × ${plural(seeds.length, 'seed')}`,
    ),
  );
  if (texts.size === 0) return null;
  const [only] = texts;
  return texts.size === 1 && pooled.length === rows.length
    ? `Counts are of ${only}.`
    : 'Counts add up the images of all seeds of a row.';
};
