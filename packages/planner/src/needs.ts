/** What each stage needs of a worker. Equal needs are one object, so that the database writes each once. */
import {
  type DatasetSpec,
  dataOf,
  type Hyperparameters,
  imagesNeeded,
  type StageKind,
  type StageNeed,
  type StageSpec,
} from '@funnel/contracts';
import { memoizeBy } from './memoize.ts';
import { minBytes } from './memory.ts';

/** Below this size a stage fits every worker. */
const smallestBytes = 256 * 2 ** 20;
/** Sizes per doubling. With more, fewer stages are alike; with fewer, a worker would take or refuse more of them wrongly. */
const sizesPerDoubling = 4;

/** The largest of a few sizes that is not above `bytes`: 0, then 256 MiB, and four sizes per doubling. */
export const roundedBytes = (bytes: number): number =>
  bytes < smallestBytes
    ? 0
    : Math.floor(2 ** (Math.floor(sizesPerDoubling * Math.log2(bytes)) / sizesPerDoubling));

export type NeedOf = (stage: Pick<StageSpec, 'kind' | 'recipe' | 'attack'>) => StageNeed;

/**
 * Returns a function that takes the hyperparameters of a trial, all of them, and returns the needs of its stages. `subsetOf`: the images
 * that a kind of stage reads.
 */
export const createNeeds = (
  engineVersion: string,
  subsetOf: (kind: StageKind) => DatasetSpec,
): ((hyperparameters: Hyperparameters) => NeedOf) => {
  const one = memoizeBy(
    (need: StageNeed) => `${need.kind} ${need.method} ${need.memoryBytes}`,
    (need) => need,
  );
  return (hyperparameters) =>
    memoizeBy(
      ({ kind, recipe, attack }) => `${kind} ${recipe} ${attack?.attack}`,
      ({ kind, recipe, attack }) => {
        const dataset = subsetOf(kind);
        const data = dataOf(dataset);
        return one({
          kind,
          method: attack?.attack ?? recipe,
          engineVersion,
          dataset: dataset.name,
          digest: data.digest,
          images: imagesNeeded(dataset),
          memoryBytes: roundedBytes(minBytes({ recipe, kind, data }, hyperparameters)),
        });
      },
    );
};
