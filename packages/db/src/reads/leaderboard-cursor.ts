/** Where a page of the leaderboard ended, with what the next one needs to go on ranking. */
import { ExtendedNumber, readExtended, writeExtended } from '@funnel/contracts';
import { isNumber, isText, readCursor, writeCursor } from './cursor.ts';

export type LeaderboardCursor = {
  readonly masked: boolean;
  readonly utility: number | null;
  readonly trial: string;
  /** Which of the trial's stages. */
  readonly ordinal: number;
  /** Of the last row; the next one shares it if it ties. */
  readonly rank: number;
  /** Rows so far. */
  readonly count: number;
};

/** The cursor is JSON, which has no infinity. */
type Written = Omit<LeaderboardCursor, 'utility'> & { readonly utility: ExtendedNumber | null };

const isWritten = (value: unknown): value is Written => {
  if (typeof value !== 'object' || value === null) return false;
  const { masked, utility, trial, ordinal, rank, count } = value as Record<string, unknown>; // every field is checked below
  const isPlace = typeof masked === 'boolean' && ExtendedNumber.nullable().safeParse(utility).success;
  return isPlace && isText(trial) && [ordinal, rank, count].every(isNumber);
};

/** Errors: INVALID_REQUEST. */
export const readLeaderboardCursor = (cursor: string): LeaderboardCursor => {
  const written = readCursor(cursor, isWritten);
  return { ...written, utility: readExtended(written.utility) };
};

export const writeLeaderboardCursor = ({ utility, ...place }: LeaderboardCursor): string =>
  writeCursor({ ...place, utility: utility === null ? null : writeExtended(utility) } satisfies Written);

type Rankable = { readonly masked: boolean; readonly utility: number | null };

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
    const ties = last !== undefined && last.utility === row.utility && (!split || last.masked === row.masked);
    const rank = ties && last ? last.rank : count;
    last = { ...row, rank };
    return rank;
  });
};
