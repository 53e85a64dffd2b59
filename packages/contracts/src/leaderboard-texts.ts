/** What the terminal and the pages say about the rows of a leaderboard in the same words. */
import { type AttackName, attacks } from './attacks.ts';
import { lettered } from './letters.ts';
import { isBounded, type Run } from './ranking.ts';
import type { LeaderboardRow } from './resources/leaderboard-row.ts';
import type { LeaderboardPage } from './routes/result-routes.ts';
import { endedStatuses, type SweepStatus, statusText } from './statuses.ts';
import { plural } from './text.ts';

/** `12 trials without PGD L∞ are not shown.` */
export const notShownText = (
  { trials }: NonNullable<LeaderboardPage['notShown']>,
  attack: AttackName,
): string =>
  `${plural(trials, 'trial')} without ${attacks[attack].title} ${trials === 1 ? 'is' : 'are'} not shown.`;

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

/** Below this number, the seeds of a row say little about how much seeds differ. */
const enoughSeeds = 5;

/** What a reader should know where every row has one seed, or where rows of few seeds have letters. Null elsewhere, and for a single row. */
export const fewSeedsText = (rows: readonly Pick<LeaderboardRow, 'seeds' | 'letters'>[]): string | null => {
  const most = Math.max(0, ...rows.map(({ seeds }) => seeds.length));
  if (rows.length > 1 && most === 1)
    return 'Each row is one seed. Other seeds may change the order: three say more.';
  const compared = rows.filter(({ letters }) => letters !== undefined).length;
  return compared > 1 && most < enoughSeeds
    ? `Rows of ${most} seeds hardly show how much seeds differ, so close rows may have different letters by chance: five seeds say more.`
    : null;
};

/** Shares are shown with a tenth of a percent. */
const shown = (share: number): number => Math.round(1000 * share);

/** The range of the seeds where one of them visibly lies outside of the interval, which is of their mean. Null elsewhere. */
export const seedSpread = ({
  interval,
  seedRange,
}: Pick<LeaderboardRow, 'interval' | 'seedRange'>): readonly [number, number] | null => {
  if (interval === null || seedRange === undefined) return null;
  const [low, high] = interval.map(Number) as [number, number];
  return shown(seedRange[0]) < shown(low) || shown(seedRange[1]) > shown(high) ? seedRange : null;
};

export const seedSpreadText =
  'An interval is of the mean of the seeds. Where a seed lies outside of it, the range of the seeds stands beside it.';

/** `fgsm, pgd-linf`; `fgsm +2` for more than `most`: the strongest attacks of a row of the worst case. */
export const strongestText = (
  { attack, tied = [] }: Pick<LeaderboardRow, 'attack' | 'tied'>,
  {
    nameOf = String,
    most = 2,
  }: { readonly nameOf?: (attack: AttackName) => string; readonly most?: number } = {},
): string =>
  tied.length + 1 > most
    ? `${nameOf(attack)}${tied.length === 0 ? '' : ` +${tied.length}`}`
    : [attack, ...tied].map(nameOf).join(', ');

/** Why a row of the worst case names several attacks; null for one attack. An attack may run with several settings, such as ε. */
export const tieText = ({ attack, tied = [] }: Pick<LeaderboardRow, 'attack' | 'tied'>): string | null => {
  if (tied.length === 0) return null;
  const all = [attack, ...tied];
  const names = [...new Set(all)].map((name) => {
    const settings = all.filter((other) => other === name).length;
    return settings === 1 ? name : `${name} (${settings} settings)`;
  });
  return `These attacks are equally strong: ${names.join(', ')}.`;
};

/**
 * What a reader of robust accuracies should know where all attacks at a fixed ε take one step; null elsewhere. `runs`: the rows of a ranking, or
 * the attacks of a trial.
 */
export const singleStepText = (
  runs: readonly (Run & { readonly tied?: readonly AttackName[] | undefined })[],
): string | null => {
  const bounded = runs.filter(isBounded);
  const isSingle = bounded.every(({ attack, tied = [] }) =>
    [attack, ...tied].every((name) => name === 'fgsm'),
  );
  return bounded.length > 0 && isSingle
    ? 'FGSM takes one step. Attacks of many steps, such as pgd-linf, usually fool more images at the same ε.'
    : null;
};

/** What the letters of compared trials mean; null where fewer than two trials have one. */
export const apartText = (letters: readonly (string | null)[]): string | null => {
  const compared = letters.filter((each) => each !== null);
  if (compared.length < 2) return null;
  if (compared.length > 2)
    return 'Trials with a letter in common cannot be told apart in the worst case: McNemar’s exact test at 5 % on the same images, or overlapping 95 % intervals.';
  const [first, second] = compared;
  const areApart = ![...first!].some((letter) => second!.includes(letter));
  const which = letters.length > 2 ? 'the two trials with letters' : 'the two trials';
  return `The worst cases of ${which} ${areApart ? 'can' : 'cannot'} be told apart: McNemar’s exact test at 5 % on the same images, or 95 % intervals that ${areApart ? 'do not overlap' : 'overlap'}.`;
};

/** What the page of a ranking says beside its rows. */
export type RankingNotes = Omit<LeaderboardPage, 'items' | 'next'>;

/** `was cancelled`; null for a sweep whose trials have not all ended. */
const endText = (status: SweepStatus): string | null => {
  if (status === 'cancelled' || status === 'cancelling') return 'was cancelled';
  if (status === 'deleting') return 'was deleted';
  return (endedStatuses as readonly SweepStatus[]).includes(status) ? statusText(status) : null;
};

/** How many trials of the sweep a ranking cannot have yet, or never will. */
export const missingText = ({ status, measured, trials }: NonNullable<RankingNotes['missing']>): string => {
  const [count, end] = [`${measured} of ${plural(trials, 'trial')}`, endText(status)];
  const [is, was] = measured === 1 || trials === 1 ? ['is', 'was'] : ['are', 'were'];
  return end === null
    ? `The sweep is ${statusText(status)}: ${count} ${is} measured.${measured > 0 ? ' The order may change.' : ''}`
    : `The sweep ${end}: ${count} ${was} measured.`;
};
