/**
 * Rules that look at several parts of a value, such as `min <= max`. Zod leaves them out as soon as any part has a fault, so a user would
 * correct a file in several rounds. With `evenAfterFaults` a rule runs anyway, and asks `rightParts` which parts it may read.
 */
import type { z } from 'zod';
import { resembling } from './did-you-mean.ts';

/** An option of `superRefine`. The rule gets an object, whose parts may have faults. */
export const evenAfterFaults = {
  when: ({ value }: { readonly value: unknown }): boolean => typeof value === 'object' && value !== null,
};

type Issue = Pick<z.core.$ZodRawIssue, 'code' | 'path' | 'continue'>;
type Path = readonly PropertyKey[];

/** An unknown key leaves the known keys beside it right. */
const concerns = ({ code, path: at = [] }: Issue, path: Path): boolean =>
  !(code === 'unrecognized_keys' && at.length < path.length) &&
  path.every((part, i) => i >= at.length || at[i] === part);

/** Returns true for the path of a value that has no fault so far, at the path, below it or above it. */
export const rightParts =
  (issues: readonly Issue[]): ((...path: Path) => boolean) =>
  (...path) =>
    !issues.some((issue) => concerns(issue, path));

/** As `rightParts`, for a value that has its type: it may be out of bounds, or break a rule. */
export const typedParts = (issues: readonly Issue[]): ((...path: Path) => boolean) =>
  rightParts(issues.filter((issue) => issue.continue !== true));

/**
 * Returns true for a part that an unknown key of the object may have meant. A part with its default may have another value as soon as the key
 * is spelt right.
 */
export const meantParts =
  (issues: readonly z.core.$ZodRawIssue[], known: readonly string[]): ((part: string) => boolean) =>
  (part) =>
    issues.some(
      (issue) =>
        issue.code === 'unrecognized_keys' &&
        (issue.path ?? []).length === 0 &&
        (issue.keys as readonly string[]).some((key) => {
          const meant = resembling(key, known);
          return meant.length === 0 || meant.includes(part);
        }),
    );
