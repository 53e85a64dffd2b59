import type { DatasetSpec } from '@funnel/contracts';
import { type DataPlaces, type LoadedDataset, loadDataset } from '@funnel/engine';

/** Splits kept at once: a sweep uses one data set, and a trainer's memory is small. */
const maxSplits = 4;

/**
 * Data sets by the splits that stages really read, so that a stage of training and the attack after it, whose specifications name
 * other subsets, share what is loaded.
 */
export const createDatasetCache = (places: DataPlaces) => {
  const splits = new Map<string, ReturnType<LoadedDataset['train']>>();
  const cached = (key: string, load: () => ReturnType<LoadedDataset['train']>) => {
    const found = splits.get(key) ?? load();
    splits.delete(key);
    splits.set(key, found); // the newest last
    // A failure (a file that is not there yet) is not kept.
    found.catch(() => splits.delete(key));
    for (const oldest of splits.keys()) if (splits.size > maxSplits) splits.delete(oldest);
    return found;
  };
  return async (spec: DatasetSpec): Promise<LoadedDataset> => {
    const dataset = await loadDataset(spec, places);
    return {
      spec,
      train: () => cached(`${spec.name} train ${spec.train}`, dataset.train),
      test: () => cached(`${spec.name} test ${spec.test}`, dataset.test),
    };
  };
};
