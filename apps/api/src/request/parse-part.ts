/** One part of a request against its declaration: params, query, headers or body. */
import { AppError } from '@funnel/contracts';
import type { z } from 'zod';
import { describe, formatPath } from './describe.ts';
import { type Explained, explainIssues } from './explain-issues.ts';
import { isStorable } from './plain-data.ts';

export type Part = 'params' | 'query' | 'headers' | 'body';

const inWords = (count: number): string => count.toLocaleString('en-US');

/** " (and 3 more)"; " (and 49 more listed, and 69,950 more that are not)" */
const others = ({ issues, faults }: Explained): string => {
  const [listed, unlisted] = [issues.length - 1, faults - issues.length];
  if (unlisted > 0) return ` (and ${listed} more listed, and ${inWords(unlisted)} more that are not)`;
  return listed > 0 ? ` (and ${listed} more)` : '';
};

const refuse = (part: Part, explained: Explained): AppError => {
  const { issues } = explained;
  const [first] = issues;
  const detail = first
    ? `${first.path}: expected ${first.expected}, but got ${first.received}${others(explained)}`
    : 'refused';
  return new AppError('INVALID_REQUEST', `In the ${part}, ${detail}`, { issues });
};

const refuseOne = (part: Part, issue: Explained['issues'][number]): AppError =>
  refuse(part, { issues: [issue], faults: 1 });

/** Addresses are percent-decoded into any text; a body was checked when it was parsed. */
const checkTexts = (part: Part, input: unknown): void => {
  if (part === 'body' || typeof input !== 'object' || input === null) return;
  for (const [key, value] of Object.entries(input))
    for (const text of [key, value].flat())
      if (typeof text === 'string' && !isStorable(text))
        throw refuseOne(part, {
          path: formatPath([key]),
          expected: 'text without NUL and half surrogate pairs',
          received: describe(text),
        });
};

/** Throws INVALID_REQUEST with the first faults, and how many there are. A part that is not declared must not be there. */
export const parsePart = (part: Part, schema: z.ZodType | undefined, input: unknown): unknown => {
  checkTexts(part, input);
  if (schema) {
    const result = schema.safeParse(input, { reportInput: true });
    if (result.success) return result.data;
    throw refuse(part, explainIssues(result.error, schema, input, part));
  }
  if (part === 'query')
    for (const key of Object.keys(input ?? {}))
      throw refuseOne(part, {
        path: formatPath([key]),
        expected: 'no query parameters',
        received: `the key ${describe(key)}`,
      });
  if (part === 'body' && input !== undefined && input !== null)
    throw refuseOne(part, { path: part, expected: 'no body', received: describe(input) });
  return undefined;
};
