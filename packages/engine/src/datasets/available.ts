/** The data sets of this machine, so that a worker can say which stages it can run. Looks at names, sizes and headers, not at the content. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import {
  type Dataset,
  type DatasetName,
  datasetNames,
  datasets,
  type WorkerDataset,
} from '@funnel/contracts';
import { type DataFolders, findDataset } from './load-dataset.ts';

/** The number of images that the header of a gzipped IDX file declares; 0 if it cannot be read. */
const countOf = async (path: string): Promise<number> => {
  const file = createReadStream(path, { end: 1023 });
  const unzipped = file.pipe(createGunzip());
  file.on('error', (error) => unzipped.destroy(error));
  try {
    for await (const bytes of unzipped as AsyncIterable<Buffer>)
      return bytes.length >= 8 ? bytes.readUInt32BE(4) : 0;
  } catch {
  } finally {
    // a missing or broken file, which the reader of the data reports in words
    file.destroy();
  }
  return 0;
};

/** The images of each split that the folder has: all, those of the extract, or 0. */
const imagesIn = async (folder: string, { files, extract, train, test }: Dataset): Promise<number> => {
  const [trainCount, testCount] = await Promise.all(
    [files[0]!, files[2]!].map(({ name }) => countOf(join(folder, name))),
  );
  if (trainCount === train && testCount === test) return Math.max(train, test);
  return extract && trainCount === extract.count && testCount === extract.count ? extract.count : 0;
};

const describe = async (name: DatasetName, folders: DataFolders): Promise<WorkerDataset | null> => {
  const dataset: Dataset = datasets[name];
  const { digest, files, train, test } = dataset;
  if (files.length === 0) return { digest, images: Math.max(train, test), stamp: '' };
  const folder = findDataset(name, folders);
  const images = folder === null ? 0 : await imagesIn(folder, dataset);
  if (folder === null || images === 0) return null;
  const stats = await Promise.all(files.map((file) => stat(join(folder, file.name))));
  return {
    digest,
    images,
    stamp: stats.map(({ size, mtimeMs }) => `${size}@${Math.round(mtimeMs)}`).join(' '),
  };
};

/** Every data set that this machine has or can generate. */
export const availableDatasets = async (folders: DataFolders = {}): Promise<readonly WorkerDataset[]> => {
  const found = await Promise.all(
    datasetNames.map((name) => describe(name, folders).catch(() => null)), // a file that disappears meanwhile
  );
  return found.filter((dataset) => dataset !== null);
};
