/**
 * Reads a data set in a process of its own, with limits of memory and time. Image decoders are native code, and a hostile file may find a way
 * to use them up or to crash them; then that process ends, and the caller says which data set it was.
 */
import { fork } from 'node:child_process';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DatasetFault } from './fault.ts';
import type { Progress, ReadDataset, ReadRequest } from './read-dataset.ts';

const script = fileURLToPath(new URL('./reading-process.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

export type ReadingLimits = {
  /** Of the resident memory of the process. */
  readonly bytes: number;
  /** Seconds in which at least one block of images must be read or checked. */
  readonly seconds: number;
};

/** A picture of 64 million pixels takes up to 0.5 GiB while it is decoded and scaled, a group of rows of Parquet as much. */
export const defaultReadingLimits: ReadingLimits = { bytes: 2 * 2 ** 30, seconds: 120 };

const memoryExitCode = 40;
/** The signals and the exit code with which V8 ends a process that has no memory left. */
const outOfMemory: readonly unknown[] = [memoryExitCode, 'SIGABRT', 'SIGTRAP', 'SIGILL', 134];

export type Task = {
  readonly request: ReadRequest;
  readonly limits: ReadingLimits & { readonly memoryExitCode: number };
};

/** A message of the reading process. Errors lose their class between processes. `fault`: a mistake of Funnel. */
export type FromReader =
  | { readonly progress: Progress }
  | { readonly value: ReadDataset }
  | { readonly refusal: string }
  | { readonly fault: string };

export type ReadingOptions = {
  readonly limits?: ReadingLimits;
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the process. */
  readonly signal?: AbortSignal;
};

const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

/** The answer of a new process. It works in `request.folder`. */
const ask = (request: ReadRequest, { limits = defaultReadingLimits, onProgress, signal }: ReadingOptions) =>
  new Promise<ReadDataset>((resolve, reject) => {
    signal?.throwIfAborted();
    const { path } = request;
    const execArgv = ['--import', tsx, `--max-old-space-size=${megabytes(limits.bytes)}`];
    const child = fork(script, {
      execArgv,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    let at = 'before the first image';
    let outcome: (() => void) | null = null;
    const end = (decide: () => void): void => {
      outcome ??= decide;
      child.kill('SIGKILL');
    };
    const refuse = (why: string) => () =>
      reject(new DatasetFault(`${path}: expected data that can be read ${why}. Nothing was written`));
    const timer = setTimeout(
      () => end(refuse(`with progress at least every ${limits.seconds} s, but the reading stopped ${at}`)),
      limits.seconds * 1000,
    );
    const onAbort = (): void => end(() => reject(signal!.reason));
    signal?.addEventListener('abort', onAbort, { once: true });
    child.on('message', (message: FromReader) => {
      timer.refresh();
      if ('progress' in message) {
        const { step, done, of } = message.progress;
        at = step === 'read' ? `after ${done} of ${of} images` : 'while it checked the images';
        onProgress?.(message.progress);
      } else if ('value' in message) outcome ??= () => resolve(message.value);
      else if ('refusal' in message) outcome ??= () => reject(new DatasetFault(message.refusal));
      else outcome ??= () => reject(new Error(`Reading ${path} failed`, { cause: message.fault }));
    });
    child.once('exit', (code, killer) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (outcome) return outcome();
      if (outOfMemory.includes(killer ?? code))
        return refuse(`with ${megabytes(limits.bytes)} MiB of memory, but it needs more ${at}`)();
      refuse(
        `without a crash, but the reading process was ended by ${killer ?? `exit code ${code}`} ${at}`,
      )();
    });
    child.on('error', (error) => end(() => reject(error)));
    child.send({ request, limits: { ...limits, memoryExitCode } } satisfies Task, (error) => {
      if (error) end(() => reject(error));
    });
  });

/**
 * Reads the files at `request.path` and writes the canonical file `<digest>.bin` to `request.folder`, which must exist. If this throws,
 * nothing is left in the folder. Throws DatasetFault for data that cannot be used, and the reason of `signal`.
 */
export const readInProcess = async (
  request: ReadRequest,
  options: ReadingOptions = {},
): Promise<ReadDataset> => {
  const workplace = await mkdtemp(join(request.folder, '.reading-'));
  try {
    const found = await ask({ ...request, folder: workplace }, options);
    const file = join(request.folder, basename(found.file));
    await rename(found.file, file);
    return { ...found, file };
  } finally {
    await rm(workplace, { recursive: true, force: true });
  }
};
