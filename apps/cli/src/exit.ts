/** How a command ends: the exit statuses of `funnel`, and the error that carries one. */

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
