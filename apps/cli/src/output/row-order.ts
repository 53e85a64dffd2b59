/** What the terminal says about the order of the rows of a leaderboard: how sure it is, and where values alone would give another one. */
import {
  evaluationMetrics,
  fewSeedsText,
  type LeaderboardRow,
  lacksLetters,
  noLettersText,
  pooledText,
  ranksBelow,
  readExtended,
  seedSpread,
  seedSpreadText,
  verdictText,
} from '@funnel/contracts';

/** How sure the order of the rows is. */
export const describeCertainty = (rows: readonly LeaderboardRow[]): readonly string[] => {
  const isCompared = rows.filter(({ letters }) => letters !== undefined).length > 1;
  const pooled = pooledText(rows);
  const fewSeeds = fewSeedsText(rows);
  return [
    ...(isCompared
      ? ['In brackets: 95 % intervals. Rows with a letter in common cannot be told apart (docs/attacks.md).']
      : []),
    ...(rows.some((row) => seedSpread(row) !== null) ? [seedSpreadText] : []),
    ...(lacksLetters(rows) ? [noLettersText] : []),
    ...(pooled === null ? [] : [pooled]),
    ...(fewSeeds === null ? [] : [fewSeeds]),
  ];
};

/** `rungs`: `all` where one ranking has the runs of all rungs. */
export const describeRungs = (
  rows: readonly LeaderboardRow[],
  rungs: 'highest' | 'all',
): readonly string[] => {
  if (new Set(rows.map(({ rung }) => rung)).size < 2) return [];
  return [
    rungs === 'all'
      ? 'The rungs differ: a run at a lower rung trained for fewer epochs.'
      : 'Each configuration stands at its highest rung, and ranks among the others there. --all-rungs ranks all rungs together.',
  ];
};

/** Why a row with a better value stands below others. Empty where values alone give the same order. */
export const describeBelow = (rows: readonly LeaderboardRow[]): readonly string[] => {
  const first = rows.findIndex(({ verdict }) => ranksBelow(verdict));
  if (first < 1) return [];
  const [above, below] = [rows.slice(0, first), rows.slice(first)];
  const sign = evaluationMetrics[rows[0]!.metric].direction === 'max' ? 1 : -1;
  const best = (some: readonly LeaderboardRow[], pick: (...values: number[]) => number): number =>
    pick(...some.flatMap(({ value }) => (value === null ? [] : [sign * readExtended(value)!])));
  const reorders =
    below.every(({ verdict }) => ranksBelow(verdict)) && best(below, Math.max) > best(above, Math.min);
  if (!reorders) return [];
  const verdicts = [...new Set(below.map(({ verdict }) => verdictText(verdict)))].join(', ');
  return [
    `${below.length} of these ${rows.length} rows (${verdicts}) ${below.length === 1 ? 'stands' : 'stand'} below the others whatever the value. --masked equal ranks by the value alone.`,
  ];
};
