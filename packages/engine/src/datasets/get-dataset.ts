/** Downloads a data set from public mirrors, and keeps a file only when its content has the declared size and SHA-256. */
import { basename, join, resolve } from 'node:path';
import { AppError, type DatasetFile, type DatasetName, datasets, fixedLimit } from '@funnel/contracts';
import { download, reasonOf } from '@funnel/contracts/download';
import { makeFolder } from '@funnel/contracts/make-folder';
import { packedLimit, unpackFile } from './idx.ts';
import { type DataFolders, dataFolders, findDataset, sources } from './load-dataset.ts';
import { writeWhole } from './whole-file.ts';

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
  /** Seconds to wait for data from a mirror. The wait is short, so that a machine without internet access fails soon. (Default: `downloadIdleSeconds`) */
  readonly connectSeconds?: number;
  /** Seconds for one file from one mirror. (Default: `downloadSeconds`) */
  readonly fileSeconds?: number;
};

/** Downloads one file from the first mirror that has the declared content. Throws DATASET_MISSING with `hint`. */
const getFile = async (
  file: DatasetFile,
  folder: string,
  mirrors: readonly string[],
  hint: string,
  options: GetOptions,
): Promise<void> => {
  const faults: string[] = [];
  for (const mirror of mirrors) {
    const url = new URL(file.name, mirror).href;
    try {
      const zipped = await download(url, {
        maxBytes: packedLimit(file),
        seconds: options.fileSeconds ?? fixedLimit('downloadSeconds'),
        idleSeconds: options.connectSeconds ?? fixedLimit('downloadIdleSeconds'),
        signal: options.signal,
        onProgress: (received, total) => options.onProgress?.({ file: file.name, received, total }),
      });
      await unpackFile(url, [zipped], [file], 0);
      await writeWhole(join(folder, file.name), (part) => part.writeFile(zipped));
      return;
    } catch (error) {
      options.signal?.throwIfAborted();
      faults.push(`${url}: ${reasonOf(error)}`);
    }
  }
  throw new AppError(
    'DATASET_MISSING',
    `Expected ${file.name} from one of ${mirrors.length} mirrors, but every download failed. ${faults.join('. ')}`,
    { file: file.name, faults, hint },
  );
};

/** Downloads each file from the first mirror that has its declared content. Throws DATASET_MISSING. */
export const getFiles = async (
  files: readonly DatasetFile[],
  folder: string,
  mirrors: readonly string[],
  options: GetOptions,
): Promise<void> => {
  const names = files.map((file) => file.name).join(', ');
  const hint = `Without internet access, copy ${names} to ${folder}, or set FUNNEL_DATA to a folder that has them in its folder ${basename(folder)}.`;
  for (const file of files) await getFile(file, folder, mirrors, hint, options);
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
  makeFolder(folder);
  await getFiles(datasets[name].files, folder, options.mirrors ?? source.mirrors, options);
  return folder;
};
