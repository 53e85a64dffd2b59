/** Where a page of the leaderboard ended, with what the next one needs to go on ranking. */
import { isNumber, isText } from './cursor.ts';

export type LeaderboardCursor = {
  readonly masked: boolean;
  readonly merit: number | null;
  readonly trial: string;
  /** Which of the trial's stages. */
  readonly position: number;
  /** Of the last row; the next one shares it if it ties. */
  readonly rank: number;
  /** Rows so far. */
  readonly count: number;
};

export const isLeaderboardCursor = (value: unknown): value is LeaderboardCursor => {
  if (typeof value !== 'object' || value === null) return false;
  const { masked, merit, trial, position, rank, count } = value as Record<string, unknown>; // every field is checked below
  const isPlace = typeof masked === 'boolean' && (merit === null || typeof merit === 'number');
  return isPlace && isText(trial) && [position, rank, count].every(isNumber);
};

type Rankable = { readonly masked: boolean; readonly merit: number | null };

/** Ties share a rank, and the next one is counted after all of them. `split`: masked rows rank among themselves. */
export const ranksOf = (
  rows: readonly Rankable[],
  cursor: LeaderboardCursor | undefined,
  split: boolean,
): readonly number[] => {
  let last: (Rankable & { rank: number }) | undefined = cursor;
  let count = cursor?.count ?? 0;
  return rows.map((row) => {
    count += 1;
    const ties = last !== undefined && last.merit === row.merit && (!split || last.masked === row.masked);
    const rank = ties && last ? last.rank : count;
    last = { ...row, rank };
    return rank;
  });
};
