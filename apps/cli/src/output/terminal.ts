/** stdout and stderr of this process: results are written whole, and a command knows what to do when nobody can be told anything more. */

import { fstatSync, writeFileSync } from 'node:fs';
import { Exit, exitCodes } from '../exit.ts';

/** A pipe whose reader has ended, or a terminal that was closed. */
export const isReaderGone = ({ code }: NodeJS.ErrnoException): boolean => code === 'EPIPE' || code === 'EIO';

let leave: (() => void) | null = null;

/**
 * For a command that goes on for long: it ends by `end` when the reader of stdout or stderr has gone, and goes on when one of them cannot
 * be written for another reason. `end` may be called more than once.
 */
export const endWithReader = (end: () => void): void => {
  leave = end;
};

export const noteReaderGone = (): void => leave?.();

const refusal = ({ message }: Error): string => `The output cannot be written: ${message}`;

/** To be called once, before anything is written. Without it, a stream that cannot be written ends the process with a stack. */
export const watchStreams = (): void => {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (isReaderGone(error)) {
      if (leave) return leave();
      process.exit(exitCodes.ok); // `funnel ls | head`: head has what it wanted
    }
    process.stderr.write(`${refusal(error)}\n`);
    if (!leave) process.exit(exitCodes.failed);
    process.exitCode = exitCodes.failed;
  });
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (isReaderGone(error)) noteReaderGone();
  });
};

/** Writes a result. Node's own stream for files drops the rest of what a full disk took a part of, and reports nothing. */
export const writeResult = (
  stdout: NodeJS.WriteStream & { readonly fd: 1 },
  content: string | Uint8Array,
): void => {
  if (!fstatSync(stdout.fd).isFile()) {
    stdout.write(content);
    return;
  }
  try {
    writeFileSync(stdout.fd, content);
  } catch (error) {
    throw new Exit(exitCodes.failed, refusal(error as Error));
  }
};

/** Where a command's words go: results to stdout, everything about the way there to stderr. */

export type Output = {
  /** With `--json`: results are JSON and nothing else is on stdout. */
  readonly json: boolean;
  readonly write: (text: string) => void;
  readonly note: (text: string) => void;
  /** The terminal's width where stderr is one, else null: then nothing is drawn over. */
  readonly columns: () => number | null;
  /** Overwrites what was drawn last on a terminal. */
  readonly draw: (lines: readonly string[]) => void;
};

/** Back to the first of the lines drawn last, and everything below it erased. */
const back = (lines: number): string => (lines > 0 ? `\x1b[${lines}A\x1b[J` : '');

export const createOutput = (
  json: boolean,
  stdout: NodeJS.WriteStream & { readonly fd: 1 },
  stderr: NodeJS.WriteStream,
): Output => {
  let drawn = 0;
  const isTerminal = Boolean(stderr.isTTY);
  return {
    json,
    write: (text) => {
      drawn = 0;
      writeResult(stdout, `${text}\n`);
    },
    note: (text) => {
      drawn = 0;
      stderr.write(`${text}\n`);
    },
    columns: () => (isTerminal ? stderr.columns || 80 : null),
    draw: (lines) => {
      const width = stderr.columns || 80; // 0: a terminal that does not know
      const fitted = lines.map((line) => `${[...line].slice(0, width - 1).join('')}\n`);
      stderr.write(back(drawn) + fitted.join(''));
      drawn = lines.length;
    },
  };
};

/** Prints a result: as it is with `--json`, else as `text` shows it. */
export const present = <T>(output: Output, result: T, text: (result: T) => string): void =>
  output.write(output.json ? JSON.stringify(result, null, 2) : text(result));

/** Signals that a person or a service manager sends to end a program in the foreground; SIGHUP comes when its terminal is closed. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One Ctrl-C arrives twice when npm passes on what the terminal has sent to both: what follows within this time is the same one. */
const sameMilliseconds = 1000;

export type Interruption = {
  /** Aborted by the first signal, or when the reader of the output has gone. */
  readonly signal: AbortSignal;
  /** Resolves then. */
  readonly happened: Promise<void>;
  /** Returns true when it was the reader who went, and no signal. */
  readonly isReaderGone: () => boolean;
};

/** Waits for the first signal, or for the reader's end; a second signal, a second later or more, calls `force`. */
export const untilInterrupted = (force: () => void): Interruption => {
  const controller = new AbortController();
  const { signal } = controller;
  let firstAt = 0;
  let readerGone = false;
  const happened = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      firstAt = performance.now();
      resolve();
    });
  });
  const onSignal = (): void => {
    if (!signal.aborted) controller.abort();
    else if (performance.now() - firstAt > sameMilliseconds) force();
  };
  for (const name of signals) process.on(name, onSignal);
  endWithReader(() => {
    if (signal.aborted) return;
    readerGone = true;
    controller.abort();
  });
  return { signal, happened, isReaderGone: () => readerGone };
};

/** Milliseconds that a connection which did not close may still hold a process that has ended its work. */
const holdMilliseconds = 2000;

/** Ends the process soon, with its exit status, even when something that did not close still holds it. */
export const endSoon = (): void => void setTimeout(() => process.exit(), holdMilliseconds).unref();
