/** Writes the lines of a log. It never throws and never ends the process: it counts and drops lines that it cannot write. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';

/** The path of a file, or 1 (stdout) or 2 (stderr). */
export type LogPlace = string | 1 | 2;

export type LogDestination = {
  /** Writes one line. `line` ends with a line break. */
  readonly write: (line: string) => void;
};

export type LogDestinationOptions = {
  /** Tells a person that lines are lost, and later that the log is written again. (Default: writes to stderr, and ignores a failure) */
  readonly tell?: (sentence: string) => void;
  /** Called for every lost line, with the reason. */
  readonly onLost?: (error: NodeJS.ErrnoException) => void;
};

/** The shortest time between two reports of lost lines: on a disk that is almost full, a log may fail and recover again and again. */
const quietMs = 60_000;

/** A line waits for a slow reader of a pipe for at most this time. */
const writeTimeoutMs = 1000;
const pauseMs = 20;

const tellOnStderr = (sentence: string): void => {
  try {
    writeSync(2, `${sentence}\n`);
  } catch {
    // There is no other place for the sentence.
  }
};

const nameOf = (place: LogPlace): string =>
  typeof place === 'string' ? `log ${place}` : `log on ${place === 1 ? 'stdout' : 'stderr'}`;

const pause = (): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
};

/** Opens the file for every line, so that a deleted, moved or restored file causes no error. */
const withDescriptor = (place: LogPlace, use: (descriptor: number) => void): void => {
  const descriptor = typeof place === 'number' ? place : openSync(place, 'a');
  try {
    use(descriptor);
  } finally {
    if (descriptor !== place) closeSync(descriptor);
  }
};

/** A destination for pino: `pino({ level }, logDestination('funnel.log'))`. `write` returns after the line is written. */
export const logDestination = (
  place: LogPlace,
  { tell = tellOnStderr, onLost }: LogDestinationOptions = {},
): LogDestination => {
  let lost = 0;
  let reason = '';
  /** True if the last write wrote only the beginning of a line. */
  let isLineUnfinished = false;
  let toldAt = Number.NEGATIVE_INFINITY;
  let toldOfLoss = false;

  const writeText = (descriptor: number, text: string): void => {
    const bytes = Buffer.from(text);
    const giveUpAt = performance.now() + (lost === 0 ? writeTimeoutMs : 0);
    for (let written = 0; written < bytes.length; ) {
      try {
        written += writeSync(descriptor, bytes, written);
        isLineUnfinished = written < bytes.length;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || performance.now() >= giveUpAt) throw error;
        pause();
      }
    }
  };

  const lossLine = (): string =>
    `${JSON.stringify({
      level: 40,
      time: Date.now(),
      pid: process.pid,
      hostname: hostname(),
      lost,
      error: reason,
      msg: 'lines are missing here, because the log could not be written',
    })}\n`;

  const noteLoss = (error: NodeJS.ErrnoException): void => {
    lost++;
    reason = error.message;
    if (lost === 1 && performance.now() - toldAt >= quietMs) {
      toldAt = performance.now();
      toldOfLoss = true;
      tell(
        `The ${nameOf(place)} cannot be written (${reason}). Its lines are lost until writing works again.`,
      );
    }
    onLost?.(error);
  };

  const noteRecovery = (): void => {
    if (toldOfLoss) tell(`The ${nameOf(place)} is written again. Lines that were lost: ${lost}.`);
    lost = 0;
    toldOfLoss = false;
  };

  return {
    write: (line) => {
      const missing = lost > 0 ? lossLine() : '';
      try {
        withDescriptor(place, (descriptor) =>
          writeText(descriptor, `${isLineUnfinished ? '\n' : ''}${missing}${line}`),
        );
      } catch (error) {
        return noteLoss(error as NodeJS.ErrnoException);
      }
      if (lost > 0) noteRecovery();
    },
  };
};
