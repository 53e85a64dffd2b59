/** What each stage needs of a worker. Equal needs are one object, so that the database writes each once. */
import {
  dataOf,
  type Hyperparameters,
  imagesNeeded,
  type StageNeed,
  type StageSpec,
} from '@funnel/contracts';
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

type Stage = Pick<StageSpec, 'kind' | 'recipe' | 'dataset' | 'attack'>;

/** Returns a function that gives the need of a stage of a trial with these hyperparameters, all of them. */
export const createNeeds = (
  engineVersion: string,
): ((stage: Stage, hyperparameters: Hyperparameters) => StageNeed) => {
  const needs = new Map<string, StageNeed>();
  return ({ kind, recipe, dataset, attack }, hyperparameters) => {
    const { name } = dataset;
    const data = dataOf(dataset);
    const memoryBytes = roundedBytes(minBytes({ recipe, kind, data }, hyperparameters));
    const images = imagesNeeded(dataset);
    const method = attack?.attack ?? recipe;
    const key = `${kind} ${method} ${data.digest} ${images} ${memoryBytes}`;
    let need = needs.get(key);
    if (!need) {
      need = {
        kind,
        method,
        engineVersion,
        dataset: name,
        digest: data.digest,
        images,
        memoryBytes,
      };
      needs.set(key, need);
    }
    return need;
  };
};
