/**
 * Pages of lists, and the cursor that marks the end of a page. Clients get the cursor as an opaque text; the API checks it when a client
 * sends it back.
 */
import { AppError } from '@funnel/contracts';

export const writeCursor = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url');

const refuseCursor = (cursor: string): never => {
  throw new AppError(
    'INVALID_REQUEST',
    `Expected \`cursor\` to be the field \`next\` of the last page, but got ${JSON.stringify(cursor)}`,
  );
};

/** The value that `writeCursor` wrote. Errors: INVALID_REQUEST when `isCursor` does not accept it. */
export const readCursor = <T>(cursor: string, isCursor: (value: unknown) => value is T): T => {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return refuseCursor(cursor);
  }
  return isCursor(value) ? value : refuseCursor(cursor);
};

export const isNumber = (value: unknown): value is number => Number.isSafeInteger(value);
export const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= 100;

/**
 * A page of at most `limit` items from up to `limit + 1` rows: a row beyond the limit means that there is a next page. `cursorOf`: the next
 * page starts after this value.
 */
export const pageOf = <Row, Item>(
  rows: readonly Row[],
  limit: number,
  item: (row: Row) => Item,
  cursorOf: (last: Row) => unknown,
) => {
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  return { items: kept.map(item), next: rows.length > limit && last ? writeCursor(cursorOf(last)) : null };
};
