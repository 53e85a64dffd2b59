import type { DatasetSpec, StageKind } from '@funnel/contracts';
import {
  type DataPlaces,
  engineVersion,
  type LoadedDataset,
  loadDataset,
  openBackend,
  runStage,
} from '@funnel/engine';
import { createAttackStage } from './attack-stage.ts';
import type { StageEnd, StageHooks, StageRunner, StageTask, TrainerSetup } from './messages.ts';

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

type LoadDataset = ReturnType<typeof createDatasetCache>;

/** The trainer's work on one kind of stage. */
export type RunKind = (task: StageTask, hooks: StageHooks, load: LoadDataset) => Promise<StageEnd>;

/** The trainer's work by kind of stage: training is the engine's, attacking is the attacks' on the engine's classifier. */

/** An epoch that takes longer than this is checkpointed on its way: a crash costs at most so much. */
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

/** Opens the backend that `setup` names. Throws BackendUnavailable, saying what is missing. */
export const createStageRunner = async (setup: TrainerSetup): Promise<StageRunner> => {
  // Another name than those it knows is refused there, with the reason.
  const backend = await openBackend(setup.backend as 'auto');
  const load = createDatasetCache(setup.places);
  const kinds = createKinds();
  return {
    identity: { backend: backend.name, device: backend.device, engineVersion },
    run: (task, hooks) => kinds[task.spec.kind](task, hooks, load),
  };
};
