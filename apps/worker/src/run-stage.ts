import type { DatasetSpec, StageKind } from '@funnel/contracts';
import {
  type DataFolders,
  engineVersion,
  type LoadedDataset,
  loadDataset,
  openBackend,
  runStage,
} from '@funnel/engine';
import { createAttackStage } from './attack-stage.ts';
import type { StageEnd, StageHooks, StageRunner, StageTask, TrainerSetup } from './messages.ts';

/** So many splits are kept: a sweep uses one data set, and the memory of a trainer is small. */
const maxSplits = 4;

/**
 * Keeps loaded data sets split by split. So a training stage and the attack after it share a split, although their specifications name
 * different subsets.
 */
export const createDatasetCache = (folders: DataFolders) => {
  const splits = new Map<string, ReturnType<LoadedDataset['train']>>();
  const cached = (key: string, load: () => ReturnType<LoadedDataset['train']>) => {
    const found = splits.get(key) ?? load();
    splits.delete(key);
    splits.set(key, found); // the newest last
    // Not kept, because the missing file may come later.
    found.catch(() => splits.delete(key));
    for (const oldest of splits.keys()) if (splits.size > maxSplits) splits.delete(oldest);
    return found;
  };
  return async (spec: DatasetSpec): Promise<LoadedDataset> => {
    const dataset = await loadDataset(spec, folders);
    return {
      spec,
      train: () => cached(`${spec.name} train ${spec.train}`, dataset.train),
      test: () => cached(`${spec.name} test ${spec.test}`, dataset.test),
    };
  };
};

type LoadDataset = ReturnType<typeof createDatasetCache>;

/** Runs one kind of stage in the trainer. */
export type RunKind = (task: StageTask, hooks: StageHooks, load: LoadDataset) => Promise<StageEnd>;

/** Within a long epoch there is a checkpoint so often, so a crash loses no more training than that. */
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
  // `openBackend` refuses an unknown name, with the reason.
  const backend = await openBackend(setup.backend as 'auto');
  const load = createDatasetCache(setup.folders);
  const kinds = createKinds();
  return {
    identity: { backend: backend.name, device: backend.device, engineVersion },
    run: (task, hooks) => kinds[task.spec.kind](task, hooks, load),
  };
};
