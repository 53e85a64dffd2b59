/** What may come in from outside, whatever it was written in: plain data that PostgreSQL can hold and that cannot reach a prototype. */
import { malformed } from './malformed.ts';

/** No sweep nests deeper than a handful; a million brackets are not a sweep. */
const deepest = 32;

/** PostgreSQL stores neither NUL nor half of a surrogate pair. */
export const isStorable = (text: string): boolean =>
  !/[\0\ud800-\udfff]/.test(text) || !/[\0\p{Surrogate}]/u.test(text); // the first is fast and refuses whole pairs too

const checkText = (text: string): void => {
  if (!isStorable(text))
    throw malformed('Expected text without NUL and without half surrogate pairs, but got one of them');
};

/** Throws MALFORMED_BODY for what no route could take. Without recursion, so that depth costs no stack. */
export const checkPlainData = (value: unknown): void => {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) throw malformed(`Expected at most ${deepest} levels, but the body is nested deeper`);
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item === 'string') checkText(item);
      if (typeof item !== 'object' || item === null) continue;
      if (Array.isArray(item)) {
        for (const member of item) next.push(member);
        continue;
      }
      for (const [key, member] of Object.entries(item)) {
        if (key === '__proto__') throw malformed('Expected plain keys, but got "__proto__"');
        checkText(key);
        next.push(member);
      }
    }
    level = next;
  }
};
