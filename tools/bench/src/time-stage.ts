import {
  type DatasetSpec,
  Hyperparameters,
  type Recipe,
  type RecipeName,
  recipes,
  type StageKind,
  type StageSpec,
} from '@funnel/contracts';
import {
  type Checkpoint,
  type KernelProfile,
  type LoadedDataset,
  memorySplit,
  runStage,
  type Split,
  type StageStart,
  startProfile,
} from '@funnel/engine';
import type { BenchStage } from './arithmetic.ts';
import { median } from './timing.ts';

export type TimedStage = {
  readonly millisecondsPerStep: number;
  /** The last checkpoint, from which the next stage starts. */
  readonly checkpoint: Checkpoint;
  /** Resident bytes of the process at the start and at the end of the timing. Without a leak they differ only by garbage. */
  readonly memory: readonly [number, number];
  /** The time of each kernel in the timed steps; only on request, since profiling takes time. */
  readonly profile: { readonly steps: number; readonly kernels: KernelProfile } | undefined;
};

/** Steps that are not timed: kernels are compiled and optimised during these. */
const warmUpSteps = 10;

const noId = '0'.repeat(64);

/** The specification of a stage with these hyperparameters and the defaults of all others. */
export const specOf = (
  recipeName: RecipeName,
  kind: StageKind,
  hyperparameters: Partial<Hyperparameters>,
  dataset: DatasetSpec,
): StageSpec => {
  const recipe: Recipe = recipes[recipeName];
  const reads = recipe.stages.find((stage) => stage.kind === kind)!.reads;
  const all = Hyperparameters.parse(hyperparameters);
  return {
    id: noId,
    chain: noId,
    kind,
    recipe: recipeName,
    hyperparameters: Object.fromEntries(reads.map((name) => [name, all[name]])),
    seed: 0,
    dataset,
    epochs: 1_000_000,
    parent: null,
    attack: null,
    surrogates: [],
  };
};

const stagesTimed = {
  initialise: ['funn', 'initialise'],
  optimise: ['funn', 'optimise'],
  classic: ['classic', 'initialise'],
} as const satisfies Record<BenchStage, readonly [RecipeName, StageKind]>;

/** The stage of Funnel behind a name of the benchmark. */
export const timedSpec = (
  stage: BenchStage,
  hyperparameters: Partial<Hyperparameters>,
  dataset: DatasetSpec,
): StageSpec => {
  const [recipe, kind] = stagesTimed[stage];
  return specOf(recipe, kind, hyperparameters, dataset);
};

/** `cpu`: the time of the processor in this process, which other programs on the machine prolong less than the time on the wall. */
export const clocks = ['wall', 'cpu'] as const;
export type Clock = (typeof clocks)[number];

const readings: Readonly<Record<Clock, () => number>> = {
  wall: () => performance.now(),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

export type TimeStageOptions = {
  readonly hyperparameters: Partial<Hyperparameters>;
  readonly dataset: LoadedDataset;
  /** Minimum number of steps to time. */
  readonly steps: number;
  readonly start: Checkpoint | null;
  readonly profile: boolean;
  readonly clock: Clock;
};

/**
 * Trains like a worker, including batches and metrics, and stops like a worker after `steps` timed steps. The time of a step is the median
 * over the engine's reports of its progress.
 */
export const timeStage = async (
  stage: BenchStage,
  { hyperparameters, dataset, steps, start, profile, clock }: TimeStageOptions,
): Promise<TimedStage> => {
  const spec = timedSpec(stage, hyperparameters, dataset.spec);
  const milliseconds = readings[clock];
  const stop = new AbortController();
  const times: number[] = [];
  let checkpoint: Checkpoint | undefined;
  let first:
    | { readonly done: number; readonly bytes: number; readonly stopProfile?: () => KernelProfile }
    | undefined;
  let last: { readonly done: number; readonly bytes: number; readonly kernels?: KernelProfile } | undefined;
  let before = { done: 0, at: 0 }; // the report before
  const from: StageStart | null = start && { ...start, sameChain: false };
  const outcome = await runStage(
    { spec, start: from },
    {
      dataset,
      signal: stop.signal,
      onCheckpoint: async (saved) => {
        checkpoint = saved;
      },
      onProgress: ({ position, steps: perEpoch }) => {
        const done = position.epoch * perEpoch + position.step;
        if (done < warmUpSteps || last) return;
        const [at, previous] = [milliseconds(), before];
        before = { done, at };
        const bytes = process.memoryUsage().rss;
        if (!first) {
          first = { done, bytes, ...(profile && { stopProfile: startProfile() }) };
          return;
        }
        times.push((at - previous.at) / (done - previous.done));
        if (done < first.done + steps) return;
        last = { done, bytes, ...(first.stopProfile && { kernels: first.stopProfile() }) };
        stop.abort();
      },
    },
  );
  if (outcome.status !== 'stopped' || !checkpoint || !first || !last)
    throw new Error(
      `Expected ${stage} to train until it was stopped, but it ended as ${outcome.status}${'message' in outcome ? `: ${outcome.message}` : ''}`,
    );
  return {
    millisecondsPerStep: median(times),
    checkpoint,
    memory: [first.bytes, last.bytes],
    profile: last.kernels && { steps: last.done - first.done, kernels: last.kernels },
  };
};

/** [height, width, channels]. */
export type ImageShape = Split['shape'];

/**
 * Noisy images whose brightness depends on their label. The content does not matter to a benchmark, but on images that are all alike an
 * auto-encoder would ignore its input and end as collapsed.
 */
const makeSplit = (count: number, shape: ImageShape): Split => {
  const size = shape[0] * shape[1] * shape[2];
  const images = new Uint8Array(count * size);
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
  for (let i = 0; i < count; i++) {
    const brightness = 8 + 19 * (i % 10);
    images.subarray(i * size, (i + 1) * size).forEach((_, p, image) => {
      image[p] = brightness + (next() >> 2);
    });
  }
  const labels = Array.from({ length: count }, (_, i) => i % 10);
  return memorySplit(shape, images, labels);
};

export const syntheticDataset = (train: number, test = 1, shape: ImageShape = [28, 28, 1]): LoadedDataset => {
  const splits = { train: makeSplit(train, shape), test: makeSplit(test, shape) };
  return {
    spec: { name: 'mnist', train, test, attack: 1 },
    train: async () => splits.train,
    test: async () => splits.test,
  };
};
