import { FunnelError } from '@funnel/client';
import { AppError, errors, type Problem } from '@funnel/contracts';
import { ZodError, z } from 'zod';
import { Exit, exitCodes } from '../exit-codes.ts';

/** A problem of the API as a person reads it: what is wrong, where, and what to do. */
const describeProblem = ({ title, detail, hint, issues = [] }: Problem): string =>
  issues.length === 0
    ? `${title}: ${detail}\n→ ${hint}`
    : [
        // The detail says the first of them again, and the hint where to find them.
        `${title}:`,
        ...issues.map(
          ({ path, expected, received }) => `  ${path || '(all)'}: expected ${expected}, got ${received}`,
        ),
        '→ Nothing was done. Mend that and try again.',
      ].join('\n');

const whereHint = 'Start it with `npm start`, or say where it is with --url or FUNNEL_URL.';

/** A value that opens nothing may be shown. */
const isSecret = (name: string): boolean => /TOKEN|PASSWORD|_URL$/.test(name);

/** What a schema refuses, by its path; of a variable of the environment also what it is. */
const describeIssues = ({ issues }: ZodError, variables: NodeJS.ProcessEnv): string =>
  issues
    .map(({ path, message: said }) => {
      const name = String(path[0] ?? '');
      // That a text became NaN on its way is nobody's business.
      const message = said.replace(/^Invalid input: /, '').replace(/, received NaN$/, '');
      if (/^[A-Z][A-Z_]+$/.test(name))
        return `The environment variable ${name}${isSecret(name) ? '' : ` is “${variables[name] ?? ''}”`}: ${message}`;
      return path.length === 0 ? message : `${z.core.toDotPath(path)}: ${message}`;
    })
    .join('\n');

/** An error as words on the terminal and an exit status. `variables` is the environment. */
export const explain = (
  error: unknown,
  variables: NodeJS.ProcessEnv = {},
): { readonly text: string; readonly status: number } => {
  if (error instanceof Exit) return { text: error.message, status: error.status };
  if (error instanceof FunnelError)
    return error.answered
      ? { text: describeProblem(error.problem), status: exitCodes.refused }
      : { text: `${error.message}\n→ ${whereHint}`, status: exitCodes.unreachable };
  if (error instanceof AppError) {
    // What cannot be reached says itself what to do: the table's hint is for callers of the API.
    if (error.code === 'UNAVAILABLE') return { text: error.message, status: exitCodes.unreachable };
    return { text: `${error.message}\n→ ${errors[error.code].hint}`, status: exitCodes.failed };
  }
  if (error instanceof ZodError) return { text: describeIssues(error, variables), status: exitCodes.usage };
  if (error instanceof Error && error.name === 'AbortError')
    return { text: '', status: exitCodes.interrupted };
  // What the system refuses (a folder that is not there, a disk that is full) is nothing of ours: its words say it, no stack does.
  if (error instanceof Error && 'syscall' in error) return { text: error.message, status: exitCodes.failed };
  return {
    text: error instanceof Error ? (error.stack ?? error.message) : String(error),
    status: exitCodes.failed,
  };
};
