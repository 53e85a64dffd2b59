/** One part of a request against its declaration: params, query, headers or body. */
import { AppError, type ProblemIssue } from '@funnel/contracts';
import type { z } from 'zod';
import { describe } from './describe.ts';
import { explainIssues } from './explain-issues.ts';
import { isStorable } from './plain-data.ts';

export type Part = 'params' | 'query' | 'headers' | 'body';

const refuse = (part: Part, issues: readonly ProblemIssue[]): AppError => {
  const [first, ...rest] = issues;
  const more = rest.length > 0 ? ` (and ${rest.length} more)` : '';
  const detail = first
    ? `${first.path}: expected ${first.expected}, but got ${first.received}${more}`
    : 'refused';
  return new AppError('INVALID_REQUEST', `In the ${part}, ${detail}`, { issues });
};

/** Addresses are percent-decoded into any text; a body was checked when it was parsed. */
const checkTexts = (part: Part, input: unknown): void => {
  if (part === 'body' || typeof input !== 'object' || input === null) return;
  for (const [key, value] of Object.entries(input))
    for (const text of [key, value].flat())
      if (typeof text === 'string' && !isStorable(text))
        throw refuse(part, [
          { path: key, expected: 'text without NUL and half surrogate pairs', received: describe(text) },
        ]);
};

/** Throws INVALID_REQUEST with every fault. A part that is not declared must not be there. */
export const parsePart = (part: Part, schema: z.ZodType | undefined, input: unknown): unknown => {
  checkTexts(part, input);
  if (schema) {
    const result = schema.safeParse(input, { reportInput: true });
    if (result.success) return result.data;
    throw refuse(part, explainIssues(result.error, schema, input, part));
  }
  if (part === 'query')
    for (const key of Object.keys(input ?? {}))
      throw refuse(part, [
        { path: key, expected: 'no query parameters', received: `the key ${describe(key)}` },
      ]);
  if (part === 'body' && input !== undefined && input !== null)
    throw refuse(part, [{ path: part, expected: 'no body', received: describe(input) }]);
  return undefined;
};
