/** Downloads a data set from public mirrors, and keeps a file only when its content has the declared size and SHA-256. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AppError, type DatasetFile, type DatasetName, datasets } from '@funnel/contracts';
import { unpackFile } from './idx.ts';
import { type DataFolders, dataFolders, findDataset, sources } from './load-dataset.ts';

export type DownloadProgress = {
  readonly file: string;
  readonly received: number;
  /** Bytes that the mirror announced, or null. */
  readonly total: number | null;
};

export type GetOptions = DataFolders & {
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
  /** URLs of folders that have the files. (Default: the public mirrors) */
  readonly mirrors?: readonly string[];
  /** Seconds to wait for data from a mirror. The wait is short, so that a machine without internet access fails soon. (Default: 5) */
  readonly connectSeconds?: number;
};

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
};

/** The bytes at `url`. Throws when no data arrives for `connectSeconds`, at the start or later. */
const download = async (
  url: string,
  file: string,
  { onProgress, signal, connectSeconds = 5 }: GetOptions,
): Promise<Uint8Array> => {
  const stalled = new AbortController();
  const expire = () => stalled.abort(new Error(`no answer within ${connectSeconds} s`));
  let timer = setTimeout(expire, 1000 * connectSeconds);
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([stalled.signal, ...(signal ? [signal] : [])]),
    });
    if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
    const length = response.headers.get('content-length');
    const total = length === null ? null : Number(length);
    const parts: Uint8Array[] = [];
    let received = 0;
    for await (const part of response.body) {
      clearTimeout(timer);
      timer = setTimeout(expire, 1000 * connectSeconds);
      parts.push(part);
      received += part.length;
      onProgress?.({ file, received, total });
    }
    return Buffer.concat(parts);
  } finally {
    clearTimeout(timer);
  }
};

/** Downloads one file from the first mirror that has the declared content. Renames the finished file into place, so no reader sees a part. */
export const getFile = async (
  file: DatasetFile,
  folder: string,
  mirrors: readonly string[],
  options: GetOptions,
): Promise<void> => {
  const faults: string[] = [];
  for (const mirror of mirrors) {
    const url = new URL(file.name, mirror).href;
    try {
      const zipped = await download(url, file.name, options);
      await unpackFile(url, zipped, file);
      const part = join(folder, `.${file.name}.${process.pid}.part`);
      await writeFile(part, zipped);
      await rename(part, join(folder, file.name)).catch(async (error: unknown) => {
        await rm(part, { force: true });
        throw error;
      });
      return;
    } catch (error) {
      options.signal?.throwIfAborted();
      faults.push(`${url}: ${reasonOf(error)}`);
    }
  }
  throw new AppError(
    'DATASET_MISSING',
    `Expected ${file.name} from one of ${mirrors.length} mirrors, but every download failed. ${faults.join('. ')}`,
    { file: file.name, faults },
  );
};

/**
 * Downloads a data set to the first of `dataFolders`, unless this machine has it. Answers its folder, or null for a generated data set.
 * Throws DATASET_MISSING within seconds when no mirror can be reached.
 */
export const getDataset = async (name: DatasetName, options: GetOptions = {}): Promise<string | null> => {
  const source = sources[name];
  if ('generate' in source) return null;
  const found = findDataset(name, options);
  if (found !== null) return found;
  const folder = resolve(dataFolders(options)[0]!, name);
  await mkdir(folder, { recursive: true });
  for (const file of datasets[name].files)
    await getFile(file, folder, options.mirrors ?? source.mirrors, options);
  return folder;
};
