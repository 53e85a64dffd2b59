import {
  Hyperparameters,
  type Recipe,
  type RecipeName,
  recipes,
  type StageKind,
  type StageSpec,
} from '@funnel/contracts';
import { type Checkpoint, type LoadedDataset, runStage, type StageStart } from '@funnel/engine';
import type { BenchStage } from './arithmetic.ts';

export type TimedStage = {
  readonly millisecondsPerStep: number;
  /** What the stage left, for the next to start from. */
  readonly checkpoint: Checkpoint;
};

/** Steps before the clock counts: kernels are compiled and optimised meanwhile. */
const warmUpSteps = 10;

const nowhere = '0'.repeat(64);

export const specOf = (
  recipeName: RecipeName,
  kind: StageKind,
  knobs: Partial<Hyperparameters>,
  dataset: LoadedDataset,
): StageSpec => {
  const recipe: Recipe = recipes[recipeName];
  const reads = recipe.stages.find((stage) => stage.kind === kind)!.reads;
  const all = Hyperparameters.parse(knobs);
  return {
    id: nowhere,
    chain: nowhere,
    kind,
    recipe: recipeName,
    hyperparameters: Object.fromEntries(reads.map((name) => [name, all[name]])),
    seed: 0,
    dataset: dataset.spec,
    epochs: 1_000_000,
    parent: null,
    attack: null,
  };
};

const specs = {
  initialise: ['funn', 'initialise'],
  optimise: ['funn', 'optimise'],
  classic: ['classic', 'initialise'],
} as const satisfies Record<BenchStage, readonly [RecipeName, StageKind]>;

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
};

/**
 * Trains as a worker would, batches and metrics included, until `steps` steps are timed, then stops as a worker would. The time of a
 * step is the median over the engine's own reports of its speed.
 */
export const timeStage = async (
  stage: BenchStage,
  knobs: Partial<Hyperparameters>,
  dataset: LoadedDataset,
  steps: number,
  start: Checkpoint | null,
): Promise<TimedStage> => {
  const [recipe, kind] = specs[stage];
  const spec = specOf(recipe, kind, knobs, dataset);
  const batch = Hyperparameters.parse(knobs).batchSize;
  const stop = new AbortController();
  const times: number[] = [];
  let checkpoint: Checkpoint | undefined;
  const from: StageStart | null = start && { ...start, sameChain: false };
  const outcome = await runStage(
    { spec, start: from },
    {
      dataset,
      signal: stop.signal,
      onCheckpoint: async (saved) => {
        checkpoint = saved;
      },
      onProgress: ({ position, steps: perEpoch, imagesPerSecond }) => {
        const done = position.epoch * perEpoch + position.step;
        if (done <= warmUpSteps || imagesPerSecond === null) return;
        times.push((1000 * batch) / imagesPerSecond);
        if (done >= warmUpSteps + steps) stop.abort();
      },
    },
  );
  if (outcome.status !== 'stopped' || !checkpoint)
    throw new Error(
      `Expected ${stage} to train until it was stopped, but it ${'message' in outcome ? outcome.message : outcome.status}`,
    );
  return { millisecondsPerStep: median(times), checkpoint };
};
