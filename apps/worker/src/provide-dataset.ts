/** Sees to it that the machine of a worker has the images of a stage. What it lacks comes from the service, by way of the cache. */
import { AppError, type DatasetSpec } from '@funnel/contracts';
import {
  cacheFolder,
  canonicalDigest,
  type DataFolders,
  type FetchOptions,
  fetchDataset,
  hasOwnImages,
} from '@funnel/engine';

export type Cache = {
  readonly folders: DataFolders;
  /** Bytes of all data sets that were fetched. */
  readonly maxBytes: number;
};

const isFull = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOSPC';

/**
 * Fetches the data set of a stage, unless this machine has it. Throws DATASET_MISSING, which says why there is none, and ENOSPC: the worker
 * then hands the stage back, which costs no attempt.
 */
export const provideDataset = async (
  spec: DatasetSpec,
  { folders, maxBytes }: Cache,
  source: Pick<FetchOptions, 'fetchChunk' | 'onStep'>,
): Promise<void> => {
  if (await hasOwnImages(spec, folders)) return;
  const digest = canonicalDigest(spec);
  try {
    await fetchDataset({ folder: cacheFolder(folders), digest, maxBytes, ...source });
  } catch (error) {
    if (isFull(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError(
      'DATASET_MISSING',
      `Expected ${spec.name} on this machine or from the service. ${reason}`,
      { dataset: spec.name, digest },
      { cause: error },
    );
  }
};
