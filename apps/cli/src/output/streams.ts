/** stdout and stderr of this process: results are written whole, and a command knows what to do when nobody can be told anything more. */
import { fstatSync, writeFileSync } from 'node:fs';
import { Exit, exitCodes } from '../exit-codes.ts';

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
