import { FunnelError } from '@funnel/client';
import { AppError, errors, type Problem } from '@funnel/contracts';
import { ZodError, z } from 'zod';

/** What the exit status of `funnel` says; printed by `funnel help exit-codes`. */
export const exitCodes = {
  ok: 0,
  /** Something went wrong that none of the following says. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The API refused the request; its problem is printed. */
  refused: 3,
  /** Nobody answers at the API's address. */
  unreachable: 4,
  /** A watched sweep ended, but not every trial of it completed. */
  incomplete: 5,
  /** Ctrl-C. */
  interrupted: 130,
  /** The reader of the output ended before the command did, as in `funnel up | head`. */
  readerGone: 141,
} as const;

/** Ends a command with an exit status after its message was printed. */
export class Exit extends Error {
  readonly status: number;
  constructor(status: number, message = '') {
    super(message);
    this.name = 'Exit';
    this.status = status;
  }
}

const meanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'done',
  failed: 'something went wrong',
  usage: 'the command line is wrong',
  refused: 'the API refused the request and said why',
  unreachable: 'nobody answers at the address of the API',
  incomplete: 'the watched sweep ended, but not every trial completed',
  interrupted: 'Ctrl-C',
  readerGone: 'the reader of the output ended before the command did, as in `funnel up | head`',
};

export const exitCodesHelp = `\nExit status:\n${Object.entries(exitCodes)
  .map(([name, code]) => `  ${String(code).padStart(3)}  ${meanings[name as keyof typeof exitCodes]}`)
  .join('\n')}`;

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
