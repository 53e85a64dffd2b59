import { type DatasetSpec, dataOf, engineVersion, type StageKind } from '@funnel/contracts';
import {
  type DataFolders,
  freeingTensors,
  type LoadedDataset,
  loadDataset,
  openBackend,
  runStage,
} from '@funnel/engine';
import { createAttackStage } from './attack-stage.ts';
import type { StageEnd, StageHooks, StageRunner, StageTask, TrainerSetup } from './messages.ts';

/** How many splits are kept. A sweep uses one data set, and a trainer has little memory. */
const maxSplits = 4;

/**
 * Keeps loaded data sets split by split. A training stage and the attack after it can thus share a split, although their specifications
 * differ.
 */
export const createDatasetCache = (folders: DataFolders) => {
  const splits = new Map<string, ReturnType<LoadedDataset['train']>>();
  const cached = (key: string, load: () => ReturnType<LoadedDataset['train']>) => {
    const found = splits.get(key) ?? load();
    splits.delete(key);
    splits.set(key, found); // the newest last
    // A failed load is not kept, because the missing file may come later.
    found.catch(() => splits.delete(key));
    for (const [oldest, split] of splits) {
      if (splits.size <= maxSplits) break;
      splits.delete(oldest);
      void split.then(({ close }) => close()).catch(() => {}); // a load that failed has no file
    }
    return found;
  };
  return async (spec: DatasetSpec): Promise<LoadedDataset> => {
    const dataset = await loadDataset(spec, folders);
    const { digest } = dataOf(spec);
    return {
      spec,
      train: () => cached(`${digest} train ${spec.train}`, dataset.train),
      test: () => cached(`${digest} test ${spec.test}`, dataset.test),
    };
  };
};

type LoadDataset = ReturnType<typeof createDatasetCache>;

/** Runs one kind of stage in the trainer. */
export type RunKind = (task: StageTask, hooks: StageHooks, load: LoadDataset) => Promise<StageEnd>;

/** Seconds between two checkpoints within a long epoch. A crash loses no more training than this. */
const checkpointSeconds = 30;

const trainStage: RunKind = async (task, hooks, load) => {
  const dataset = await load(task.spec.dataset);
  const outcome = await runStage(task, { ...hooks, dataset, checkpointSeconds });
  return outcome.status === 'completed' ? { ...outcome, evaluation: null } : outcome;
};

const createKinds = (): Readonly<Record<StageKind, RunKind>> => ({
  initialise: trainStage,
  optimise: trainStage,
  classify: trainStage,
  attack: createAttackStage(),
});

/** Opens the backend that `setup` names. Throws BackendUnavailable, which says what is missing. */
export const createStageRunner = async (setup: TrainerSetup): Promise<StageRunner> => {
  // `openBackend` refuses an unknown name and says why.
  const backend = await openBackend(setup.backend as 'auto');
  const load = createDatasetCache(setup.folders);
  const kinds = createKinds();
  return {
    identity: { backend: backend.name, device: backend.device, engineVersion },
    // A stopped attack throws between two steps, and leaves its tensors. The trainer runs one stage at a time, so all of them are of this stage.
    run: (task, hooks) => freeingTensors(() => kinds[task.spec.kind](task, hooks, load)),
  };
};
