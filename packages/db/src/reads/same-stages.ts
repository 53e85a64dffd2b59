/**
 * The rows of a page that repeat an earlier row of the ranking, because another sweep has submitted the same runs again. A rule in the ranking itself would
 * read the stages of every row that it passes, and would have to repeat all filters for the other row; the columns of the index would no longer be enough.
 */
import type { LeaderboardQuery } from '@funnel/contracts';
import type { Tx } from '../connection/transaction.ts';
import { readEvidence, type SeedEvidence } from './evidence.ts';
import type { LeaderboardCursor } from './leaderboard-cursor.ts';
import { findRanked, type RankedRow } from './ranking.ts';

/** In the worst case, the same strongest attack may have another value, because other attacks count too. */
const keyOf = ({ utility, rung }: RankedRow, seeds: readonly SeedEvidence[]): string =>
  JSON.stringify([utility, rung, seeds.map(({ stage_id }) => stage_id).sort()]);

type Measured = { readonly row: RankedRow; readonly seeds: readonly SeedEvidence[] };

/** For each row, the trial of the first row with the same attack stages; null for that first row itself. */
const firstWithStages = (rows: readonly Measured[]): readonly (string | null)[] => {
  const first = new Map<string, RankedRow>();
  return rows.map(({ row, seeds }) => {
    const key = keyOf(row, seeds);
    const earlier = first.get(key);
    if (!earlier) first.set(key, row);
    return earlier && earlier.sweep_id !== row.sweep_id ? earlier.trial_id : null;
  });
};

/**
 * The rows before this page that tie with its first row: runs with the same stages have the same value, so no other row of an earlier page can
 * be repeated here. At most as many as a page has, from the first one of the tie.
 */
const tiedBefore = async (
  tx: Tx,
  query: LeaderboardQuery,
  cursor: LeaderboardCursor | undefined,
  first: RankedRow | undefined,
): Promise<readonly Measured[]> => {
  if (!cursor || !first || first.utility !== cursor.utility || first.below !== cursor.below) return [];
  // No row has such a key, and every one of the tie stands after it.
  const { rows } = await findRanked(tx, query, { ...cursor, trial: '', ordinal: -2 });
  const end = rows.findIndex((row) => row.trial_id === first.trial_id && row.ordinal === first.ordinal);
  const before = end < 0 ? rows : rows.slice(0, end);
  const evidence = await readEvidence(tx, before, {
    metric: query.metric,
    allSeeds: query.group === 'configuration',
  });
  return before.map((row, i) => ({ row, seeds: evidence[i]! }));
};

/** For each row of a page, the trial of the earlier row that it repeats; null if it repeats none. */
export const repeatsOf = async (
  tx: Tx,
  query: LeaderboardQuery,
  cursor: LeaderboardCursor | undefined,
  page: readonly Measured[],
): Promise<readonly (string | null)[]> => {
  const before = await tiedBefore(tx, query, cursor, page[0]?.row);
  return firstWithStages([...before, ...page]).slice(before.length);
};
