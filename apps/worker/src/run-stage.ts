/** The trainer's work by kind of stage: training is the engine's, attacking is the attacks' on the engine's classifier. */
import type { StageKind } from '@funnel/contracts';
import { engineVersion, openBackend, runStage } from '@funnel/engine';
import { createAttackStage } from './attack-stage.ts';
import { createDatasetCache } from './dataset-cache.ts';
import type { TrainerSetup } from './messages.ts';
import type { RunKind } from './run-kind.ts';
import type { StageRunner } from './stage-runner.ts';

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
