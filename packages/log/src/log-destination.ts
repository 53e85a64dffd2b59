/** Where the lines of a log go. Writing a log never throws and never ends the process: what cannot be written is counted and dropped. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';

/** The path of a file, or 1 (stdout) or 2 (stderr). */
export type LogPlace = string | 1 | 2;

export type LogDestination = {
  /** Takes one line with its line break. */
  readonly write: (line: string) => void;
};

export type LogDestinationOptions = {
  /** Tells a person that lines are being lost, and that no more are. (Default: on stderr, where that can be written) */
  readonly say?: (sentence: string) => void;
  /** Called for every line that is lost, with the reason. */
  readonly onLost?: (error: NodeJS.ErrnoException) => void;
};

/** A log that fails and recovers again and again, as on a disk that is almost full, is spoken of at most once in this time. */
const quietMilliseconds = 60_000;

/** How long a line waits for a reader that is slow. */
const patienceMilliseconds = 1000;
const pauseMilliseconds = 20;

const sayOnStderr = (sentence: string): void => {
  try {
    writeSync(2, `${sentence}\n`);
  } catch {
    // Nobody is left to tell.
  }
};

const nameOf = (place: LogPlace): string =>
  typeof place === 'string' ? `log ${place}` : `log on ${place === 1 ? 'stdout' : 'stderr'}`;

const pause = (): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMilliseconds);
};

/** Opened for every line: a file that was deleted, moved away or put back is noticed, and no descriptor has to be mended. */
const withDescriptor = (place: LogPlace, use: (descriptor: number) => void): void => {
  const descriptor = typeof place === 'number' ? place : openSync(place, 'a');
  try {
    use(descriptor);
  } finally {
    if (descriptor !== place) closeSync(descriptor);
  }
};

/** A destination for pino: `pino({ level }, logDestination('funnel.log'))`. Lines are written at once. */
export const logDestination = (
  place: LogPlace,
  { say = sayOnStderr, onLost }: LogDestinationOptions = {},
): LogDestination => {
  let lost = 0;
  let reason = '';
  /** The last thing that was written is the beginning of a line. */
  let isTorn = false;
  let spokeAt = Number.NEGATIVE_INFINITY;
  let spokeOfLoss = false;

  const put = (descriptor: number, text: string): void => {
    const bytes = Buffer.from(text);
    const giveUpAt = performance.now() + (lost === 0 ? patienceMilliseconds : 0);
    for (let written = 0; written < bytes.length; ) {
      try {
        written += writeSync(descriptor, bytes, written);
        isTorn = written < bytes.length;
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
    if (lost === 1 && performance.now() - spokeAt >= quietMilliseconds) {
      spokeAt = performance.now();
      spokeOfLoss = true;
      say(`The ${nameOf(place)} cannot be written (${reason}). Its lines are dropped until it can.`);
    }
    onLost?.(error);
  };

  const noteRecovery = (): void => {
    if (spokeOfLoss) say(`The ${nameOf(place)} is written again. Lines that were lost: ${lost}.`);
    lost = 0;
    spokeOfLoss = false;
  };

  return {
    write: (line) => {
      const missing = lost > 0 ? lossLine() : '';
      try {
        withDescriptor(place, (descriptor) => put(descriptor, `${isTorn ? '\n' : ''}${missing}${line}`));
      } catch (error) {
        return noteLoss(error as NodeJS.ErrnoException);
      }
      if (lost > 0) noteRecovery();
    },
  };
};
