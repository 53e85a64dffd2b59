import { describe } from './describe.ts';
import { findDuplicateKey } from './duplicate-keys.ts';
import { malformed, parsing } from './malformed.ts';
import { checkPlainData } from './plain-data.ts';

/** Throws MALFORMED_BODY. Refuses what JSON.parse lets through: a key given twice, `__proto__`, a million brackets. */
export const parseJson = (text: string): unknown => {
  const value: unknown = parsing('JSON', () => JSON.parse(text));
  const twice = findDuplicateKey(text);
  if (twice !== null) throw malformed(`Expected every key once, but got ${describe(twice)} twice`);
  checkPlainData(value);
  return value;
};
