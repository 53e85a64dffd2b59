/** The mistakes of several checks in one refusal. */
import { AppError, type ProblemIssue } from '@funnel/contracts';
import { refuse } from '../request/parse-part.ts';

/** The parts of a request that an error says are wrong. */
export const issuesOf = (error: unknown): readonly ProblemIssue[] =>
  error instanceof AppError ? ((error.details.issues as readonly ProblemIssue[] | undefined) ?? []) : [];

/** The issues for which `check` throws an error. Other errors come again when the sweep is planned. */
export const issuesBy = async (check: () => unknown): Promise<readonly ProblemIssue[]> => {
  try {
    await check();
    return [];
  } catch (error) {
    return issuesOf(error);
  }
};

/** The same error with further issues. An error that names no part of the request stays as it is. */
export const together = (error: unknown, more: readonly ProblemIssue[]): unknown => {
  const issues = [...issuesOf(error), ...more];
  return more.length === 0 || issues.length === more.length
    ? error
    : refuse('body', { issues, faults: issues.length });
};
