/**
 * The splits that a trainer keeps in memory from stage to stage. A training stage and the attack after it can thus share a split, although
 * their specifications differ.
 */
import { type DatasetSpec, dataOf } from '@funnel/contracts';
import {
  type DataFolders,
  heldBytes,
  type LoadedDataset,
  loadDataset,
  maxMemoryBytes,
  type Split,
} from '@funnel/engine';

/** A stage uses two splits at a time. Each split that stays in its file has this file open. */
const maxSplits = 4;

type Kept = { readonly bytes: number; readonly split: Promise<Split> };

/** Closes a split, also one that is still being loaded. One whose load failed has no file. */
const close = ({ split }: Kept): void => void split.then((loaded) => loaded.close()).catch(() => {});

export type LoadDataset = (spec: DatasetSpec) => Promise<LoadedDataset>;

/**
 * Keeps the splits that were used last. `maxBytes`: bytes of all their images in memory. The largest split that is held has as many, and is
 * then kept alone. A stage may use a split that is no longer kept.
 */
export const createKeptSplits = (folders: DataFolders, maxBytes = maxMemoryBytes): LoadDataset => {
  const kept = new Map<string, Kept>();

  /** Drops splits, those first that were not used for longest, until there is room for one of so many bytes. */
  const makeRoom = (bytes: number): void => {
    let held = [...kept.values()].reduce((sum, split) => sum + split.bytes, bytes);
    for (const [key, oldest] of kept) {
      if (kept.size < maxSplits && (held <= maxBytes || oldest.bytes === 0)) continue;
      kept.delete(key);
      held -= oldest.bytes;
      close(oldest);
    }
  };

  const keep = (key: string, bytes: number, load: () => Promise<Split>): Promise<Split> => {
    const known = kept.get(key);
    if (known) kept.delete(key);
    else makeRoom(bytes);
    const split = known?.split ?? load();
    kept.set(key, { bytes, split }); // the newest last
    // A failed load is not kept, because the missing file may come later.
    split.catch(() => kept.delete(key));
    return split;
  };

  return async (spec) => {
    const dataset = await loadDataset(spec, folders);
    const { digest, shape } = dataOf(spec);
    const of = (name: 'train' | 'test') =>
      keep(`${digest} ${name} ${spec[name]}`, heldBytes(shape, spec[name]), dataset[name]);
    return { spec, train: () => of('train'), test: () => of('test') };
  };
};
