/** The end of a command: the exit statuses of `funnel`, the error class `Exit`, and the text of every error. */
import { FunnelError } from '@funnel/client';
import { AppError, errors, whyUnreadable } from '@funnel/contracts';
import { z } from 'zod';
import { toDotPath } from 'zod/v4/core';
import type { Explained, PlacedIssue } from './error-json.ts';
import { inFlags } from './flags.ts';
import { describeProblem } from './problems.ts';

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  unreachable: 4,
  incomplete: 5,
  marked: 6,
  unfit: 7,
  leftOut: 8,
  /** The status of the program `timeout` of coreutils. */
  tooLate: 124,
  /** The status that a shell reports for a program that SIGINT ended. */
  interrupted: 130,
  /** The status that a shell reports for a program that SIGPIPE ended. */
  readerGone: 141,
} as const;

const meanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'the command succeeded',
  failed: 'the command failed',
  usage: 'the command line or the environment is wrong',
  refused: 'the API refused the request and said why',
  unreachable: 'nobody answers at the address of the API',
  incomplete: 'the sweep ended, but not every trial completed',
  marked: 'the examination of a model has findings that its results must mention',
  unfit: 'attacks would not measure the robustness of this model',
  leftOut: 'no attack ran on this model: each was left out, for a reason that is printed',
  tooLate: 'the sweep had not ended when the time of --timeout was over; it goes on',
  interrupted: 'Ctrl-C',
  readerGone: 'the program that reads the output ended before the command, as in `npx funnel up | head`',
};

/** The list of exit statuses below the help of `funnel`. */
export const exitCodesHelp = `\nExit status:\n${Object.entries(exitCodes)
  .map(([name, code]) => `  ${String(code).padStart(3)}  ${meanings[name as keyof typeof exitCodes]}`)
  .join('\n')}`;

/** Ends the command with an exit status. Its message, if it has one, is printed to stderr; it contains the issues. */
export class Exit extends Error {
  readonly status: number;
  readonly issues: readonly PlacedIssue[];
  constructor(status: number, message = '', issues: readonly PlacedIssue[] = []) {
    super(message);
    this.name = 'Exit';
    this.status = status;
    this.issues = issues;
  }
}

/** Returns true for variables whose values must not be printed. */
const isSecret = (name: string): boolean => /TOKEN|PASSWORD|_URL$/.test(name);

/** One line per issue of a schema, with its path. For an environment variable, the line also has the variable's value. */
const describeIssues = ({ issues }: z.ZodError, variables: NodeJS.ProcessEnv): string =>
  issues
    .map(({ path, message }) => {
      const name = String(path[0] ?? '');
      // Zod reports NaN, the number that it made from the text, and not the text itself.
      const text = message.replace(/^Invalid input: /, '').replace(/, received NaN$/, '');
      if (/^[A-Z][A-Z_]+$/.test(name))
        return `The environment variable ${name}${isSecret(name) ? '' : ` is “${variables[name] ?? ''}”`}: ${text}`;
      return path.length === 0 ? text : `${toDotPath(path)}: ${text}`;
    })
    .join('\n');

/** The text for stderr, which may be empty, its issues, and the exit status. `variables` is the environment. */
export const explain = (
  error: unknown,
  variables: NodeJS.ProcessEnv = {},
): Explained & { readonly status: number } => {
  if (error instanceof Exit) return { text: error.message, status: error.status, issues: error.issues };
  if (error instanceof FunnelError)
    return error.answered
      ? {
          text: describeProblem(error.problem, error),
          status: exitCodes.refused,
          issues: error.problem.issues,
        }
      : {
          text: `${error.message}\n→ Start Funnel with \`npm start\`, or give its address with --url or FUNNEL_URL.`,
          status: exitCodes.unreachable,
        };
  if (error instanceof AppError) {
    // The hint of UNAVAILABLE is for callers of the API. The message already says what to do.
    if (error.code === 'UNAVAILABLE')
      return {
        text: error.message,
        status: error.details.isSetting ? exitCodes.usage : exitCodes.unreachable,
      };
    // The message of a refused input already says what to do.
    if (error.code === 'ATTACK_INPUT') return { text: inFlags(error.message), status: exitCodes.usage };
    const { hint = errors[error.code].hint } = error.details;
    return { text: `${error.message}\n→ ${hint}`, status: exitCodes.failed };
  }
  if (error instanceof Error && ['BackendUnavailable', 'TrainerDeath'].includes(error.name))
    return {
      text: `${error.message}\n→ \`npx funnel doctor\` says which backends work.`,
      status: exitCodes.usage,
    };
  // A file of the user. The message names it and says what to do.
  if (error instanceof Error && error.name === 'DatasetFault')
    return { text: error.message, status: exitCodes.usage };
  if (error instanceof z.ZodError) return { text: describeIssues(error, variables), status: exitCodes.usage };
  if (error instanceof Error && error.name === 'AbortError')
    return { text: '', status: exitCodes.interrupted };
  // An error of the operating system, such as a missing folder or a full disk. A stack would not help.
  if (error instanceof Error && 'syscall' in error) {
    const { path, message } = error as NodeJS.ErrnoException;
    const isRead = ['open', 'stat', 'lstat', 'scandir', 'read'].includes(String(error.syscall));
    const text = path !== undefined && isRead ? `${path}: ${whyUnreadable(error)}` : message;
    return { text, status: exitCodes.failed };
  }
  return {
    text: error instanceof Error ? (error.stack ?? error.message) : String(error),
    status: exitCodes.failed,
  };
};
