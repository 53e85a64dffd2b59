import { engineVersion, type StageKind } from '@funnel/contracts';
import { freeingTensors, openBackend, runStage } from '@funnel/engine';
import { createAttackStage } from './attack-stage.ts';
import { createKeptSplits, type LoadDataset } from './kept-splits.ts';
import type { StageEnd, StageHooks, StageRunner, StageTask, TrainerSetup } from './messages.ts';

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
  const load = createKeptSplits(setup.folders);
  const kinds = createKinds();
  return {
    identity: { backend: backend.name, device: backend.device, engineVersion },
    // A stopped attack throws between two steps, and leaves its tensors. The trainer runs one stage at a time, so all of them are of this stage.
    run: (task, hooks) => freeingTensors(() => kinds[task.spec.kind](task, hooks, load)),
  };
};
