/**
 * The data sets that a worker has fetched: one file each in canonical form, named by its digest, in `FUNNEL_HOME/cache/datasets`. All
 * processes of a machine share them.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm, stat, statfs, utimes } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, datasetChunkBytes, datasetChunks, datasetLayout, formatBytes } from '@funnel/contracts';
import { makeFolder } from '@funnel/contracts/make-folder';
import { checkDigest, readHeader } from './canonical-file.ts';
import { tryLock } from './file-lock.ts';
import { partSuffix, writeWhole } from './whole-file.ts';

/** `home`: the value of FUNNEL_HOME ('.funnel' unless given). */
export const cacheFolder = ({ home }: { readonly home?: string | null }): string =>
  resolve(home || '.funnel', 'cache', 'datasets');

const suffix = '.bin';

/** The file of the data set with this digest, which need not exist. */
export const cachedFile = (folder: string, digest: string): string => join(folder, `${digest}${suffix}`);

/** The digests of the data sets in a folder. */
export const cachedDigests = async (folder: string): Promise<readonly string[]> => {
  const names = await readdir(folder).catch(() => []);
  return names.flatMap((name) => (/^[0-9a-f]{64}\.bin$/.test(name) ? [name.slice(0, -suffix.length)] : []));
};

/** Notes that a data set is used: the least recently used one goes first. The time of change stays, so nobody checks the file again. */
export const touchCached = async (path: string): Promise<void> => {
  const { mtime } = await stat(path);
  await utimes(path, new Date(), mtime);
};

/** Reads a file whole, once in this process. Removes it and throws DATASET_CORRUPT where its content is not that of the data set. */
export const checkCached = async (path: string, digest: string): Promise<void> => {
  try {
    await checkDigest(path, digest);
  } catch (error) {
    if (error instanceof AppError) await rm(path, { force: true });
    throw error;
  }
};

/** Whether the folder has a data set, whole and undamaged. */
const isCached = async (path: string, digest: string): Promise<boolean> => {
  if (!existsSync(path)) return false;
  return checkCached(path, digest).then(
    () => true,
    () => false,
  );
};

/** A file that nobody has written to for as long belongs to a process that is gone. */
const maxPartMs = 600_000;

const removeAbandonedParts = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) {
    if (!name.endsWith(partSuffix)) continue;
    const path = join(folder, name);
    const found = await stat(path).catch(() => null);
    if (found && Date.now() - found.mtimeMs > maxPartMs) await rm(path, { force: true });
  }
};

/** Removes the least recently used data sets until all others have at most `maxBytes` bytes. */
export const trimCache = async (folder: string, maxBytes: number): Promise<void> => {
  const files = await Promise.all(
    (await cachedDigests(folder)).map(async (digest) => {
      const path = cachedFile(folder, digest);
      return stat(path).then(
        ({ size, atimeMs }) => ({ path, size, atimeMs }),
        () => null, // another process has just removed it
      );
    }),
  );
  let bytes = 0;
  for (const file of files.filter((found) => found !== null).sort((a, b) => b.atimeMs - a.atimeMs)) {
    bytes += file.size;
    if (bytes > maxBytes) await rm(file.path, { force: true });
  }
};

export type FetchOptions = {
  readonly folder: string;
  /** The SHA-256 of the canonical form. */
  readonly digest: string;
  /** Chunk `number` of the canonical form, which has as many bytes as `datasetChunkBytes`, the last one fewer. */
  readonly fetchChunk: (digest: string, number: number) => Promise<Uint8Array>;
  /** FUNNEL_CACHE_BYTES: bytes of all data sets in the folder. A larger data set is fetched, but stays alone. */
  readonly maxBytes: number;
  /** Called before each chunk, and while another process fetches. May throw, to stop. */
  readonly onStep?: () => void;
};

/** Throws an error with the code ENOSPC where a data set of `bytes` bytes would fill the disk. */
const requireSpace = async (folder: string, bytes: number): Promise<void> => {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= bytes) return;
  const message = `Expected ${formatBytes(bytes)} of free disk space for a data set in ${folder}, but there are ${formatBytes(bavail * bsize)}`;
  throw Object.assign(new Error(message), { code: 'ENOSPC' });
};

const fetchWhole = async (
  { folder, digest, fetchChunk, maxBytes, onStep }: FetchOptions,
  renew: () => Promise<void>,
): Promise<void> => {
  const next = (number: number): Promise<Uint8Array> => {
    onStep?.();
    return fetchChunk(digest, number);
  };
  const what = `the data set ${digest.slice(0, 12)} of the service`;
  const refuse = (expected: string, found: string): never => {
    throw new AppError('DATASET_CORRUPT', `Expected ${what} to have ${expected}, but got ${found}`);
  };
  const first = await next(0);
  const { bytes } = datasetLayout(readHeader(what, first));
  await trimCache(folder, Math.max(0, maxBytes - bytes));
  await requireSpace(folder, bytes);
  const hash = createHash('sha256');
  await writeWhole(cachedFile(folder, digest), async (file) => {
    for (let number = 0; number < datasetChunks(bytes); number++) {
      const chunk = number === 0 ? first : await next(number);
      const length = Math.min(datasetChunkBytes, bytes - number * datasetChunkBytes);
      if (chunk.length !== length) refuse(`${length} bytes in chunk ${number}`, `${chunk.length}`);
      hash.update(chunk);
      await file.writeFile(chunk);
      await renew();
    }
    const found = hash.digest('hex');
    if (found !== digest) refuse(`the sha-256 ${digest}`, found);
  });
};

const pollMs = 200;

/**
 * Sees to it that the folder has a data set, and resolves to its file. One process fetches it, the others wait. The file is there whole and
 * checked, or not at all. Throws DATASET_CORRUPT where the chunks are not those of the data set, an error with the code ENOSPC where the
 * disk has too little space, and what `fetchChunk` and `onStep` throw.
 */
export const fetchDataset = async (options: FetchOptions): Promise<string> => {
  const { folder, digest, onStep } = options;
  const path = cachedFile(folder, digest);
  if (await isCached(path, digest)) return path;
  makeFolder(folder);
  await removeAbandonedParts(folder);
  for (;;) {
    onStep?.();
    const lock = await tryLock(`${path}.lock`);
    if (lock === null) {
      await sleep(pollMs);
      continue;
    }
    try {
      if (!(await isCached(path, digest))) await fetchWhole(options, lock.renew);
      return path;
    } finally {
      await lock.release();
    }
  }
};
