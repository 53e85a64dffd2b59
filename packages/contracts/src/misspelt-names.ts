/**
 * Objects in which one name decides about the other keys: the strategy of a search, the name of an attack. A schema does not look at these keys
 * while the name is unknown, so a user would correct a file in two rounds.
 */
import type { z } from 'zod';
import { withPresetAsAttack } from './attacks.ts';
import { resembling } from './did-you-mean.ts';

/** The known names, if the issue says that the object has none of them; null for another issue. */
export const missedNames = (issue: z.core.$ZodIssue): readonly string[] | null => {
  if (issue.code === 'custom') return (issue.params?.names as readonly string[] | undefined) ?? null;
  const isName = issue.code === 'invalid_union' && issue.errors.length === 0;
  return isName && 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : null;
};

export type Meant = {
  /** The key of the name as it is written. */
  readonly key: string;
  /** The object with each name that the written one may stand for, under the right key. */
  readonly objects: readonly Readonly<Record<string, unknown>>[];
};

/** What an object without a known name means. `key`: the right key of the name. Null if the object has nothing like it. */
export const meantBy = (written: unknown, key: string, names: readonly string[]): Meant | null => {
  const entry = withPresetAsAttack(written);
  if (typeof entry !== 'object' || entry === null) return null;
  const own = Object.hasOwn(entry, key)
    ? key
    : Object.keys(entry).find((other) => resembling(other, [key]).length > 0);
  if (own === undefined) return null;
  const { [own]: given, ...rest } = entry as Readonly<Record<string, unknown>>;
  const meant = typeof given !== 'string' ? [] : names.includes(given) ? [given] : resembling(given, names);
  return { key: own, objects: meant.map((name) => ({ [key]: name, ...rest })) };
};
