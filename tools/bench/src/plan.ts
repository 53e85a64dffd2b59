/** `bench plan`: the epochs that sharing saves, counted for a large sweep and measured on a small one. */
import { engineVersion, type StageSpec, SweepDefinition } from '@funnel/contracts';
import {
  type Checkpoint,
  hashManifest,
  type LoadedDataset,
  openBackend,
  runStage,
  type StageStart,
} from '@funnel/engine';
import { buildPlan, type Outline, outlineSweep } from '@funnel/planner';
import { z } from 'zod';
import { readOptions } from './options.ts';
import { syntheticDataset } from './time-stage.ts';

export const planUsage = `plan [--backend auto|cuda|tensorflow|webgpu|wasm|cpu] [--images 256] [--json]
  Epochs of 3 γ × 3 β × 3 rates × epochs {11, 21, 31} × 3 seeds with and without sharing; then trains a small sweep both ways.`;

const Options = z.strictObject({
  images: z.coerce.number().pipe(z.int().min(1)).default(256),
  backend: z.enum(['auto', 'cuda', 'tensorflow', 'webgpu', 'wasm', 'cpu']).default('wasm'),
  json: z.boolean().default(false),
});

const base = { dataset: { name: 'mnist' }, attacks: ['deepfool-l2'] } as const;

/** A sweep of the paper's kind, which is only planned. */
const large = SweepDefinition.parse({
  ...base,
  name: 'large',
  space: {
    gamma: [1, 5, 25],
    beta: [0.005, 0.01, 0.02],
    optimiseDefenderRate: [1e-5, 3e-5, 1e-4],
    optimiseEpochs: [11, 21, 31],
  },
  seeds: 3,
});

/** A similar sweep that is trained: few images, a small network, few epochs. */
const small = SweepDefinition.parse({
  ...base,
  name: 'small',
  space: {
    filters: ['8-16'],
    latent: [16],
    noise: [4],
    batchSize: [64],
    initialiseEpochs: [3],
    classifierEpochs: [1],
    gamma: [1, 5],
    beta: [0.05, 0.5], // the penalty of the second is never zero, so that every trial ends differently
    optimiseEpochs: [1, 2, 3],
  },
  seeds: 2,
});

const count = (definition: SweepDefinition) => {
  const outline = outlineSweep(definition, engineVersion);
  return { outline, plan: buildPlan(outline, new Map()).plan };
};

export const plan = async (args: readonly string[]): Promise<void> => {
  const { images, backend, json } = readOptions(Options, args);
  const counted = count(large).plan;
  const { outline, plan: planned } = count(small);

  await openBackend(backend);
  const dataset = syntheticDataset(images, images);
  const shared = await runShared(outline, dataset);
  const unshared = await runUnshared(outline, dataset);
  const differing = outline.trials.filter(
    ({ number }) => shared.checkpoints.get(number) !== unshared.checkpoints.get(number),
  );

  const report = {
    large: { trials: counted.trials, ...counted.epochs, sharing: counted.sharing },
    small: {
      trials: planned.trials,
      ...planned.epochs,
      sharing: planned.sharing,
      shared: { epochs: shared.epochs, seconds: shared.seconds },
      unshared: { epochs: unshared.epochs, seconds: unshared.seconds },
      faster: unshared.seconds / shared.seconds,
      identical: outline.trials.length - differing.length,
    },
  };
  if (json) {
    console.log(JSON.stringify(report));
  } else {
    const { large, small } = report;
    console.log(
      `Plan: ${large.trials} trials, ${large.unshared} epochs without sharing, ${large.needed} with: ${large.sharing.toFixed(1)} times fewer.`,
    );
    console.log(`Run: ${small.trials} trials on ${images} images.`);
    console.log(`  each trial by itself: ${unshared.epochs} epochs in ${unshared.seconds.toFixed(1)} s`);
    console.log(
      `  each stage once:      ${shared.epochs} epochs in ${shared.seconds.toFixed(1)} s, ${small.faster.toFixed(1)} times faster`,
    );
    console.log(`  identical checkpoints: ${small.identical} of ${small.trials}`);
  }
  if (differing.length > 0) {
    console.error(
      `Expected the same bits both ways, but trials ${differing.map(({ number }) => number).join(', ')} differ.`,
    );
    process.exitCode = 1;
  }
};

export type Run = {
  /** Hash of the last checkpoint of each trial, by the number of the trial. */
  readonly checkpoints: ReadonlyMap<number, string>;
  readonly epochs: number;
  readonly seconds: number;
};

type Blobs = Checkpoint['blobs'];
/** A checkpoint with every blob that its manifest names. */
type State = { readonly manifest: Checkpoint['manifest']; readonly blobs: Blobs };

/** Trains a stage from `start`. Resolves to the state after each epoch, in order. */
const trainStage = async (
  spec: StageSpec,
  start: StageStart | null,
  dataset: LoadedDataset,
): Promise<State[]> => {
  const states: State[] = [];
  const outcome = await runStage(
    { spec, start },
    {
      dataset,
      signal: new AbortController().signal,
      onCheckpoint: async ({ manifest, blobs }) => {
        states.push({ manifest, blobs: new Map([...(start?.blobs ?? []), ...blobs]) });
      },
    },
  );
  if (outcome.status === 'completed' || outcome.status === 'collapsed') return states; // short training may collapse
  throw new Error(
    `Expected ${spec.kind} to complete, but it ended as ${outcome.status}${'message' in outcome ? `: ${outcome.message}` : ''}`,
  );
};

const isTraining = (stage: StageSpec): boolean => stage.kind !== 'attack';

const measure = async (
  run: (count: (epochs: number) => void) => Promise<Map<number, string>>,
): Promise<Run> => {
  let epochs = 0;
  const started = performance.now();
  const checkpoints = await run((more) => {
    epochs += more;
  });
  return { checkpoints, epochs, seconds: (performance.now() - started) / 1000 };
};

/** Every trial trains all of its stages. */
export const runUnshared = (outline: Outline, dataset: LoadedDataset): Promise<Run> =>
  measure(async (count) => {
    const byId = new Map(outline.stages.map((stage) => [stage.id, stage]));
    const ends = new Map<number, string>();
    for (const trial of outline.trials) {
      let state: State | undefined;
      for (const spec of trial.stages.map((id) => byId.get(id)!).filter(isTraining)) {
        const start: StageStart | null = state ? { ...state, sameChain: false } : null;
        state = (await trainStage(spec, start, dataset)).at(-1)!;
        count(spec.epochs);
      }
      ends.set(trial.number, hashManifest(state!.manifest));
    }
    return ends;
  });

/** Trains every stage once. The longest stage of a chain also produces the results of the shorter ones on its way. */
export const runShared = (outline: Outline, dataset: LoadedDataset): Promise<Run> =>
  measure(async (count) => {
    const states = new Map<string, State>();
    const training = outline.stages.filter(isTraining);
    for (const stage of training) {
      if (states.has(stage.id)) continue;
      const chain = training.filter(({ chain }) => chain === stage.chain);
      const longest = chain.reduce((a, b) => (b.epochs > a.epochs ? b : a));
      const parent = longest.parent === null ? null : states.get(longest.parent)!;
      const epochs = await trainStage(longest, parent && { ...parent, sameChain: false }, dataset);
      count(longest.epochs);
      for (const passed of chain) states.set(passed.id, epochs[passed.epochs - 1]!);
    }
    const last = (ids: readonly string[]): State => ids.flatMap((id) => states.get(id) ?? []).at(-1)!;
    return new Map(outline.trials.map((trial) => [trial.number, hashManifest(last(trial.stages).manifest)]));
  });
