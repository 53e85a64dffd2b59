/**
 * Checks one part of a request (params, query, headers or body) against its declared schema. A refusal gives the path of each fault, what was
 * expected and what came.
 */
import { AppError, formatAmount } from '@funnel/contracts';
import {
  describeValue,
  type Explained,
  explainable,
  explainIssues,
  formatPath,
} from '@funnel/contracts/explain-issues';
import type { z } from 'zod';
import { isStorable } from './values.ts';

export type Part = 'params' | 'query' | 'headers' | 'body';

/** " (and 3 more)"; " (and 49 more listed, and 69,950 more that are not)" */
const describeOthers = ({ issues, faults }: Explained): string => {
  const [listed, unlisted] = [issues.length - 1, faults - issues.length];
  if (unlisted > 0) return ` (and ${listed} more listed, and ${formatAmount(unlisted)} more that are not)`;
  return listed > 0 ? ` (and ${listed} more)` : '';
};

export const refuse = (part: Part, explained: Explained): AppError => {
  const { issues } = explained;
  const [first] = issues;
  const detail = first
    ? `${first.path}: expected ${first.expected}, but got ${first.received}${describeOthers(explained)}`
    : 'refused';
  return new AppError('INVALID_REQUEST', `In the ${part}, ${detail}`, { issues });
};

const refuseOne = (part: Part, issue: Explained['issues'][number]): AppError =>
  refuse(part, { issues: [issue], faults: 1 });

/** Throws INVALID_REQUEST for text that PostgreSQL cannot store; percent-decoding can give such text. Bodies were checked when they were parsed. */
const checkTexts = (part: Part, input: unknown): void => {
  if (part === 'body' || typeof input !== 'object' || input === null) return;
  for (const [key, value] of Object.entries(input))
    for (const text of [key, value].flat())
      if (typeof text === 'string' && !isStorable(text))
        throw refuseOne(part, {
          path: formatPath([key]),
          expected: 'text without NUL and without half surrogate pairs',
          received: describeValue(text),
        });
};

/** The parsed part. A part without a schema must be absent. Throws INVALID_REQUEST with the first faults and their number. */
export const parsePart = (part: Part, schema: z.ZodType | undefined, input: unknown): unknown => {
  checkTexts(part, input);
  if (schema) {
    const result = schema.safeParse(input, explainable);
    if (result.success) return result.data;
    throw refuse(part, explainIssues(result.error, schema, input, part));
  }
  if (part === 'query')
    for (const key of Object.keys(input ?? {}))
      throw refuseOne(part, {
        path: formatPath([key]),
        expected: 'no query parameters',
        received: `the key ${describeValue(key)}`,
      });
  if (part === 'body' && input !== undefined && input !== null)
    throw refuseOne(part, { path: part, expected: 'no body', received: describeValue(input) });
  return undefined;
};
