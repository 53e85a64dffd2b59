/** The data sets of this machine, so that a worker can say which stages it can run. Looks at names, sizes and headers, not at the content. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  builtInOf,
  type Dataset,
  type DatasetName,
  datasetNames,
  datasets,
  type WorkerDataset,
} from '@funnel/contracts';
import { openCanonical } from './canonical-file.ts';
import { cachedDigests, cachedFile, cacheFolder } from './dataset-cache.ts';
import { idxImages } from './idx.ts';
import { type DataFolders, findDataset } from './load-dataset.ts';

/** Changes when a file changes. */
const stampOf = async (paths: readonly string[]): Promise<string> => {
  const stats = await Promise.all(paths.map((path) => stat(path)));
  return stats.map(({ size, mtimeMs }) => `${size}@${Math.round(mtimeMs)}`).join(' ');
};

const describe = async (name: DatasetName, folders: DataFolders): Promise<WorkerDataset | null> => {
  const dataset: Dataset = datasets[name];
  const { digest, files, train, test } = dataset;
  if (files.length === 0) return { digest, images: Math.max(train, test), stamp: '' };
  const folder = findDataset(name, folders);
  const images = folder === null ? 0 : await idxImages(folder, dataset);
  if (folder === null || images === 0) return null;
  return { digest, images, stamp: await stampOf(files.map((file) => join(folder, file.name))) };
};

/** A data set that this machine has fetched. One with the content of a built-in data set is that data set. */
const describeCached = async (digest: string, folders: DataFolders): Promise<WorkerDataset> => {
  const path = cachedFile(cacheFolder(folders), digest);
  const { train, test } = (await openCanonical(path)).content;
  const builtIn = builtInOf(digest);
  return {
    digest: builtIn ? datasets[builtIn].digest : digest,
    images: Math.max(train, test),
    stamp: await stampOf([path]),
  };
};

/** Every data set that this machine has or can generate. */
export const availableDatasets = async (folders: DataFolders = {}): Promise<readonly WorkerDataset[]> => {
  const digests = await cachedDigests(cacheFolder(folders));
  const looks = [
    ...datasetNames.map((name) => describe(name, folders)),
    ...digests.map((digest) => describeCached(digest, folders)),
  ];
  const found = await Promise.all(looks.map((look) => look.catch(() => null))); // a file that disappears meanwhile, or is damaged
  const byDigest = new Map<string, WorkerDataset>();
  for (const dataset of found.filter((each) => each !== null)) {
    const other = byDigest.get(dataset.digest);
    if (!other || other.images < dataset.images) byDigest.set(dataset.digest, dataset);
  }
  return [...byDigest.values()];
};
