/** All formats. To add one: a file in this folder, and an entry here. */
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { whyUnreadable } from '@funnel/contracts';
import { DatasetFault, refuseFile } from '../fault.ts';
import { listFolder } from '../files.ts';
import type { Format, Found } from '../source.ts';
import { arrays } from './arrays.ts';
import { cifar } from './cifar.ts';
import { folder } from './folder.ts';
import { idx } from './idx.ts';
import { parquet } from './parquet.ts';

/** In the order in which they are asked: the last one takes any folder that has folders. */
export const formats: readonly Format[] = [idx, cifar, parquet, arrays, folder];

const archives = /\.(zip|tar|tgz|tar\.\w+|7z|rar)$/i;

/** The names at a path. Throws DatasetFault if there is nothing. */
export const findPath = async (path: string): Promise<Found> => {
  const found = await stat(path).catch((error: unknown) =>
    refuseFile(path, `expected a file or a folder, but ${whyUnreadable(error)}`),
  );
  if (found.isDirectory()) return { path, folder: path, isFolder: true, ...(await listFolder(path)) };
  if (!found.isFile()) return refuseFile(path, 'expected a file or a folder, but got something else');
  if (archives.test(path))
    return refuseFile(
      path,
      'expected a folder or a file of data, but got an archive: unpack it, and give its folder',
    );
  return { path, folder: dirname(path), isFolder: false, files: [basename(path)], folders: [] };
};

export const recogniseFormat = (found: Found): Format => {
  const format = formats.find(({ recognises }) => recognises(found));
  if (format) return format;
  const known = formats.map(({ looksLike }) => `  ${looksLike}`).join('\n');
  throw new DatasetFault(
    `${found.path}: expected data in one of these forms, but recognised none:\n${known}`,
  );
};
