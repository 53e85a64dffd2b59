/** How a command ends: the exit statuses of `funnel`, the error that carries one, and the words for every error. */
import { FunnelError } from '@funnel/client';
import { AppError, errors, type Problem } from '@funnel/contracts';
import { z } from 'zod';
import { toDotPath } from 'zod/v4/core';

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  unreachable: 4,
  incomplete: 5,
  /** What a shell reports of a program that SIGINT ended. */
  interrupted: 130,
  /** What a shell reports of a program that SIGPIPE ended. */
  readerGone: 141,
} as const;

const meanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'the command did what it should',
  failed: 'something went wrong',
  usage: 'the command line or the environment is wrong',
  refused: 'the API refused the request and said why',
  unreachable: 'nobody answers at the address of the API',
  incomplete: 'the sweep ended, but not every trial completed',
  interrupted: 'Ctrl-C',
  readerGone: 'the reader of the output ended before the command, as in `npx funnel up | head`',
};

/** Stands below the help of `funnel`. */
export const exitCodesHelp = `\nExit status:\n${Object.entries(exitCodes)
  .map(([name, code]) => `  ${String(code).padStart(3)}  ${meanings[name as keyof typeof exitCodes]}`)
  .join('\n')}`;

/** Ends the command with an exit status. Its message, if it has one, is printed to stderr. */
export class Exit extends Error {
  readonly status: number;
  constructor(status: number, message = '') {
    super(message);
    this.name = 'Exit';
    this.status = status;
  }
}

/** A problem that the API reports: what is wrong, where, and what to do. */
const describeProblem = ({ title, detail, hint, issues = [] }: Problem): string =>
  issues.length === 0
    ? `${title}: ${detail}\n→ ${hint}`
    : [
        // The detail repeats the first issue, and the hint points at the issues.
        `${title}:`,
        ...issues.map(
          ({ path, expected, received }) => `  ${path || '(all)'}: expected ${expected}, got ${received}`,
        ),
        '→ Nothing was done. Correct the request and try again.',
      ].join('\n');

/** The values of these variables are not printed. */
const isSecret = (name: string): boolean => /TOKEN|PASSWORD|_URL$/.test(name);

/** The issues of a schema by their paths. An issue with an environment variable also says the variable's value. */
const describeIssues = ({ issues }: z.ZodError, variables: NodeJS.ProcessEnv): string =>
  issues
    .map(({ path, message }) => {
      const name = String(path[0] ?? '');
      // Zod reports the number that it made of a text, not the text.
      const text = message.replace(/^Invalid input: /, '').replace(/, received NaN$/, '');
      if (/^[A-Z][A-Z_]+$/.test(name))
        return `The environment variable ${name}${isSecret(name) ? '' : ` is “${variables[name] ?? ''}”`}: ${text}`;
      return path.length === 0 ? text : `${toDotPath(path)}: ${text}`;
    })
    .join('\n');

/** The text for stderr, which may be empty, and the exit status. `variables` is the environment. */
export const explain = (
  error: unknown,
  variables: NodeJS.ProcessEnv = {},
): { readonly text: string; readonly status: number } => {
  if (error instanceof Exit) return { text: error.message, status: error.status };
  if (error instanceof FunnelError)
    return error.answered
      ? { text: describeProblem(error.problem), status: exitCodes.refused }
      : {
          text: `${error.message}\n→ Start it with \`npm start\`, or name its address with --url or FUNNEL_URL.`,
          status: exitCodes.unreachable,
        };
  if (error instanceof AppError) {
    // The hint of UNAVAILABLE is for callers of the API. The message already says what to do.
    if (error.code === 'UNAVAILABLE') return { text: error.message, status: exitCodes.unreachable };
    return { text: `${error.message}\n→ ${errors[error.code].hint}`, status: exitCodes.failed };
  }
  if (error instanceof z.ZodError) return { text: describeIssues(error, variables), status: exitCodes.usage };
  if (error instanceof Error && error.name === 'AbortError')
    return { text: '', status: exitCodes.interrupted };
  // The operating system refused something: a folder that does not exist, a full disk. A stack would not help.
  if (error instanceof Error && 'syscall' in error) return { text: error.message, status: exitCodes.failed };
  return {
    text: error instanceof Error ? (error.stack ?? error.message) : String(error),
    status: exitCodes.failed,
  };
};
