/**
 * The terminal of this process: results on stdout, everything else on stderr, and the end of a command by Ctrl-C or by the end of its
 * reader.
 */

import { fstatSync, writeFileSync } from 'node:fs';
import { escapeControls, escapeControlsInJson, escapeControlsInLines } from '@funnel/contracts';
import { Exit, exitCodes } from '../exit.ts';
import { cutToWidth } from './width.ts';

/** Returns true when the program that reads the pipe has ended, or the terminal was closed. */
export const isReaderGone = ({ code }: NodeJS.ErrnoException): boolean => code === 'EPIPE' || code === 'EIO';

let onReaderGone: (() => void) | null = null;

/**
 * For a long-running command: calls `end` when the reader of stdout or stderr has ended, possibly more than once. If a stream cannot be
 * written for another reason, the command goes on.
 */
export const endWithReader = (end: () => void): void => {
  onReaderGone = end;
};

export const noteReaderGone = (): void => onReaderGone?.();

const describeRefusal = ({ message }: Error): string => `The output could not be written: ${message}`;

/** Call it once, before anything is written. Without it, a stream that cannot be written ends the process with a stack. */
export const watchStreams = (): void => {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (isReaderGone(error)) {
      if (onReaderGone) return onReaderGone();
      process.exit(exitCodes.ok); // `funnel ls | head`: `head` has read enough
    }
    process.stderr.write(`${describeRefusal(error)}\n`);
    if (!onReaderGone) process.exit(exitCodes.failed);
    process.exitCode = exitCodes.failed;
  });
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (isReaderGone(error)) noteReaderGone();
  });
};

/**
 * Writes a result. If a full disk takes only a part, Node's own stream for files drops the rest and reports no error; this function throws
 * Exit.
 */
export const writeResult = (
  stdout: NodeJS.WriteStream & { readonly fd: 1 },
  content: string | Uint8Array,
): void => {
  if (!fstatSync(stdout.fd).isFile()) {
    // A file or a program gets the text as it is. A terminal would obey its control characters.
    stdout.write(
      stdout.isTTY && typeof content === 'string'
        ? escapeControlsInLines(content.replaceAll('\r\n', '\n'))
        : content,
    );
    return;
  }
  try {
    writeFileSync(stdout.fd, content);
  } catch (error) {
    throw new Exit(exitCodes.failed, describeRefusal(error as Error));
  }
};

export type Output = {
  /** True with `--json`: results are JSON, and stdout has nothing else. */
  readonly json: boolean;
  /** Writes a result to stdout. This and all other functions escape control characters, which may come from other users. */
  readonly write: (text: string) => void;
  /** Writes a line to stderr. */
  readonly note: (text: string) => void;
  /** The width of the terminal, or null when stderr is no terminal. */
  readonly columns: () => number | null;
  /** The width of the terminal that shows results, or null when stdout is no terminal. */
  readonly resultColumns: () => number | null;
  /** Replaces the lines that it wrote before by these. For terminals only. */
  readonly draw: (lines: readonly string[]) => void;
};

/** Moves the cursor to the first of the lines drawn before, and erases everything below. */
const eraseLines = (lines: number): string => (lines > 0 ? `\x1b[${lines}A\x1b[J` : '');

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
      writeResult(stdout, `${json ? escapeControlsInJson(text) : escapeControlsInLines(text)}\n`);
    },
    note: (text) => {
      drawn = 0;
      stderr.write(`${escapeControlsInLines(text)}\n`);
    },
    columns: () => (isTerminal ? stderr.columns || 80 : null),
    resultColumns: () => (stdout.isTTY ? stdout.columns || 80 : null),
    draw: (lines) => {
      const width = stderr.columns || 80; // 0: the width of the terminal is unknown
      const fitted = lines.map((line) => `${cutToWidth(escapeControls(line), width - 1)}\n`);
      stderr.write(eraseLines(drawn) + fitted.join(''));
      drawn = lines.length;
    },
  };
};

/** Writes a result: as JSON with `--json`, else in the words of `text`. */
export const present = <T>(output: Output, result: T, text: (result: T) => string): void =>
  output.write(output.json ? JSON.stringify(result, null, 2) : text(result));

/** The signals by which a user or a service manager ends a program. SIGHUP comes when the terminal is closed. */
const signals = {
  SIGINT: 'Ctrl-C (SIGINT)',
  SIGTERM: 'SIGTERM',
  SIGHUP: 'the end of the terminal (SIGHUP)',
} as const;
const signalNames = Object.keys(signals) as (keyof typeof signals)[];

/** npm passes on a Ctrl-C that the terminal has already sent, so a second signal within this time is the same Ctrl-C. */
const sameSignalMs = 1000;

export type Interruption = {
  /** Aborted by the first signal, or when the reader of the output has ended. */
  readonly signal: AbortSignal;
  /** Resolves when `signal` is aborted. */
  readonly happened: Promise<void>;
  /** What came first: `Ctrl-C (SIGINT)`; null before anything has come. */
  readonly cause: () => string | null;
  /** Returns true when the reader has ended and no signal has come. */
  readonly isReaderGone: () => boolean;
};

/** Waits for a signal or the end of the output's reader. A second signal, at least a second later, calls `force`. */
export const untilInterrupted = (force: () => void): Interruption => {
  const controller = new AbortController();
  const { signal } = controller;
  let firstAt = 0;
  let cause: string | null = null;
  let readerGone = false;
  const happened = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      firstAt = performance.now();
      resolve();
    });
  });
  const onSignal = (name: keyof typeof signals): void => {
    if (!signal.aborted) {
      cause = signals[name];
      controller.abort();
    } else if (performance.now() - firstAt > sameSignalMs) force();
  };
  for (const name of signalNames) process.on(name, onSignal);
  endWithReader(() => {
    if (signal.aborted) return;
    cause = 'the end of the program that read its output';
    readerGone = true;
    controller.abort();
  });
  return { signal, happened, cause: () => cause, isReaderGone: () => readerGone };
};

/** The process ends after this time, with its exit status, even if an open connection keeps it alive. */
const exitMs = 2000;
export const endSoon = (): void => void setTimeout(() => process.exit(), exitMs).unref();
