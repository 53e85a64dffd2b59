/** Where a page ended: opaque to callers, checked when it comes back. */
import { AppError } from '@funnel/contracts';

export const writeCursor = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url');

const refuse = (cursor: string): never => {
  throw new AppError(
    'INVALID_REQUEST',
    `Expected \`cursor\` as the last page gave it in \`next\`, but got ${JSON.stringify(cursor)}`,
  );
};

/** `check` says whether this is what such a cursor holds. Errors: INVALID_REQUEST. */
export const readCursor = <T>(cursor: string, check: (value: unknown) => value is T): T => {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return refuse(cursor);
  }
  return check(value) ? value : refuse(cursor);
};

export const isNumber = (value: unknown): value is number => Number.isSafeInteger(value);
export const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= 100;

/** One row more than asked for was read: it says that there is a next page. */
export const pageOf = <Row, Item>(
  rows: readonly Row[],
  limit: number,
  item: (row: Row) => Item,
  position: (last: Row) => unknown,
) => {
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  return { items: kept.map(item), next: rows.length > limit && last ? writeCursor(position(last)) : null };
};
