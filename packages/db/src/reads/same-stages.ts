/**
 * The rows of a page that repeat an earlier row, because another sweep has submitted the same runs again. A rule in the ranking itself would
 * read the stages of every row that it passes, and would have to repeat all filters for the other row; the columns of the index would no longer be enough.
 */
import type { SeedEvidence } from './evidence.ts';
import type { RankedRow } from './ranking.ts';

/** In the worst case, the same strongest attack may have another value, because other attacks count too. */
const keyOf = ({ utility, rung }: RankedRow, seeds: readonly SeedEvidence[]): string =>
  JSON.stringify([utility, rung, seeds.map(({ stage_id }) => stage_id).sort()]);

/** For each row, the trial of the first row of the page with the same attack stages; null for that first row itself. */
export const repeatsOf = (
  rows: readonly RankedRow[],
  evidence: readonly (readonly SeedEvidence[])[],
): readonly (string | null)[] => {
  const first = new Map<string, RankedRow>();
  return rows.map((row, i) => {
    const key = keyOf(row, evidence[i]!);
    const earlier = first.get(key);
    if (!earlier) first.set(key, row);
    return earlier && earlier.sweep_id !== row.sweep_id ? earlier.trial_id : null;
  });
};
