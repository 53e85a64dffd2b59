/** Refuses values of clients that are never allowed. */
import { AppError } from '@funnel/contracts';
import { cut } from '@funnel/contracts/explain-issues';

/** Characters of a MALFORMED_BODY message. Parsers quote the text that they could not read, which may be the whole body. */
const maxMessage = 500;

export const malformed = (message: string, cause?: unknown): AppError =>
  new AppError('MALFORMED_BODY', cut(message, maxMessage), {}, { cause });

/**
 * Returns the value of `parse`. If `parse` throws, this function throws MALFORMED_BODY with the same message. `format` names the expected
 * format.
 */
export const parseAs = <T>(format: string, parse: () => T): T => {
  try {
    return parse();
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw malformed(
      `Expected ${format}, but: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
};

/** The largest number of levels of nesting. A sweep file has fewer than ten. */
const maxDepth = 32;

/** PostgreSQL stores neither NUL nor one half of a surrogate pair. */
export const isStorable = (text: string): boolean =>
  !/[\0\ud800-\udfff]/.test(text) || !/[\0\p{Surrogate}]/u.test(text); // the first test is fast, but also finds whole pairs

const checkText = (text: string): void => {
  if (!isStorable(text))
    throw malformed('Expected text without NUL and without half surrogate pairs, but got one of them');
};

/**
 * Throws MALFORMED_BODY for a text that PostgreSQL cannot store, for a key `__proto__`, and for more than 32 levels. Goes level by
 * level and not by recursion, so that deep nesting cannot overflow the stack. Returns the number of keys in all objects.
 */
export const checkPlainData = (value: unknown): number => {
  let keys = 0;
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth)
      throw malformed(`Expected at most ${maxDepth} levels, but the body is nested deeper`);
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item === 'string') checkText(item);
      if (typeof item !== 'object' || item === null) continue;
      if (Array.isArray(item)) {
        for (const member of item) next.push(member);
        continue;
      }
      for (const key of Object.keys(item)) {
        if (key === '__proto__') throw malformed('Expected plain keys, but got "__proto__"');
        checkText(key);
        keys += 1;
        next.push((item as Readonly<Record<string, unknown>>)[key]);
      }
    }
    level = next;
  }
  return keys;
};
