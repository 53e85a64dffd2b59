/** The cursor of a page of the leaderboard, and the ranks that the next page continues. */
import { ExtendedNumber, readExtended, writeExtended } from '@funnel/contracts';
import { isNumber, isText, readCursor, writeCursor } from './pages.ts';

/** The end of a page, and the state from which the next page continues the ranks. */
export type LeaderboardCursor = {
  /** Set where each rung has a ranking of its own. */
  readonly rung?: number;
  readonly below: boolean;
  readonly utility: number | null;
  readonly trial: string;
  /** The index of the stage among the stages of the trial. */
  readonly ordinal: number;
  /** The rank of the last row; the next row has the same rank if it ties. Null for a row without a value. */
  readonly rank: number | null;
  /** The number of rows so far, of the rung if there is one. */
  readonly count: number;
};

/** The cursor as JSON, which has no infinity. */
type WrittenCursor = Omit<LeaderboardCursor, 'utility'> & { readonly utility: ExtendedNumber | null };

const isWrittenCursor = (value: unknown): value is WrittenCursor => {
  if (typeof value !== 'object' || value === null) return false;
  const { rung, below, utility, trial, ordinal, rank, count } = value as Record<string, unknown>; // every field is checked below
  return (
    typeof below === 'boolean' &&
    ExtendedNumber.nullable().safeParse(utility).success &&
    isText(trial) &&
    [ordinal, count].every(isNumber) &&
    (rank === null || isNumber(rank)) &&
    (rung === undefined || isNumber(rung))
  );
};

/** Errors: INVALID_REQUEST. */
export const readLeaderboardCursor = (cursor: string): LeaderboardCursor => {
  const written = readCursor(cursor, isWrittenCursor);
  return { ...written, utility: readExtended(written.utility) };
};

export const writeLeaderboardCursor = ({ utility, ...rest }: LeaderboardCursor): string =>
  writeCursor({
    ...rest,
    utility: utility === null ? null : writeExtended(utility),
  } satisfies WrittenCursor);

type Rankable = { readonly below: boolean; readonly utility: number | null; readonly rung: number | null };

/** How rows rank: rows below all others among themselves, the rows of each rung among themselves. */
export type Splits = { readonly below: boolean; readonly rungs: boolean };

/** `count`: the number of rows up to this one that rank together. */
export type Ranked = { readonly rank: number | null; readonly count: number };

/** Rows that tie share a rank; the next rank counts all of them. A row without a value has no rank. */
export const ranksOf = (
  rows: readonly Rankable[],
  cursor: LeaderboardCursor | undefined,
  splits: Splits,
): readonly Ranked[] => {
  let last: (Rankable & Ranked) | undefined = cursor && { ...cursor, rung: cursor.rung ?? null };
  return rows.map((row) => {
    const before = last && (!splits.rungs || last.rung === row.rung) ? last : undefined;
    const count = (before?.count ?? 0) + 1;
    const ties =
      before !== undefined && before.utility === row.utility && (!splits.below || before.below === row.below);
    const rank = row.utility === null ? null : ties ? before.rank : count;
    last = { ...row, rank, count };
    return { rank, count };
  });
};
