/** Small stages for tests: specifications, and runs that collect their checkpoints and metrics. */
import {
  type CleanCounts,
  Hyperparameters,
  type Recipe,
  type RecipeName,
  recipes,
  type StageKind,
  type StageSpec,
} from '@funnel/contracts';
import { type Checkpoint, hashManifest, packTensors, unpackTensors } from '../src/checkpoint.ts';
import { loadDataset } from '../src/datasets/load-dataset.ts';
import type { LoadedDataset } from '../src/datasets/split.ts';
import type { StageOutcome, StageStart } from '../src/training/stage.ts';
import { runStage } from '../src/training/train.ts';

/** Two batches of 8 and one of 4 per epoch. */
const small = {
  filters: '2-3',
  latent: 5,
  noise: 2,
  batchSize: 8,
  classifierUnits: 6,
} satisfies Partial<Hyperparameters>;

const dataset = { name: 'glyphs', train: 20, test: 12, attack: 1 } as const;

const identity = '0'.repeat(64); // the engine never reads the identity of a stage

export const specOf = (
  recipe: RecipeName,
  kind: StageKind,
  epochs: number,
  given: Partial<Hyperparameters> = {},
  over: Partial<StageSpec> = {},
): StageSpec => {
  const stages: Recipe['stages'] = recipes[recipe].stages;
  const all = Hyperparameters.parse({ ...small, ...given });
  const reads = stages.find((stage) => stage.kind === kind)?.reads ?? [];
  const hyperparameters = Object.fromEntries(reads.map((name) => [name, all[name]]));
  const rest = { seed: 7, dataset, parent: null, attack: null, surrogates: [] };
  return { id: identity, chain: identity, kind, recipe, hyperparameters, epochs, ...rest, ...over };
};

export type Ran = {
  readonly outcome: StageOutcome;
  readonly checkpoints: readonly Checkpoint[];
  readonly metrics: readonly (Readonly<Record<string, number>> | null)[];
  readonly perClass: readonly (CleanCounts | null)[];
  readonly hashes: readonly string[];
  /** The last checkpoint, with all blobs, to start from. */
  readonly last: Omit<StageStart, 'sameChain'>;
};

export type RunOptions = {
  /** 0: a checkpoint before every step. */
  readonly checkpointSeconds?: number;
  readonly signal?: AbortSignal;
  /** (Default: the images that the specification names) */
  readonly dataset?: LoadedDataset;
  /** Called with every checkpoint. */
  readonly during?: (checkpoint: Checkpoint) => void;
};

export const run = async (
  spec: StageSpec,
  start: StageStart | null = null,
  { checkpointSeconds, signal = new AbortController().signal, dataset, during }: RunOptions = {},
): Promise<Ran> => {
  const checkpoints: Checkpoint[] = [];
  const metrics: (Readonly<Record<string, number>> | null)[] = [];
  const perClass: (CleanCounts | null)[] = [];
  const blobs = new Map(start?.blobs);
  const outcome = await runStage(
    { spec, start },
    {
      dataset: dataset ?? (await loadDataset(spec.dataset)),
      signal,
      onCheckpoint: async (checkpoint, measured, counts) => {
        checkpoints.push(checkpoint);
        metrics.push(measured);
        perClass.push(counts);
        during?.(checkpoint);
        for (const [hash, bytes] of checkpoint.blobs) blobs.set(hash, bytes);
      },
      ...(checkpointSeconds === undefined ? {} : { checkpointSeconds }),
    },
  );
  const manifest = checkpoints.at(-1)?.manifest ?? start?.manifest;
  if (manifest === undefined) throw new Error('Expected a run with at least one checkpoint');
  const hashes = checkpoints.map((checkpoint) => hashManifest(checkpoint.manifest));
  return { outcome, checkpoints, metrics, perClass, hashes, last: { manifest, blobs } };
};

export const onto = (ran: Pick<Ran, 'last'>): StageStart => ({ ...ran.last, sameChain: false });
export const continuing = (ran: Pick<Ran, 'last'>): StageStart => ({ ...ran.last, sameChain: true });

/** The three stages of funn, each started from the result of the one before. */
export const line = async (epochs = { initialise: 2, optimise: 2, classify: 2 }) => {
  const initialise = await run(specOf('funn', 'initialise', epochs.initialise));
  const optimise = await run(specOf('funn', 'optimise', epochs.optimise), onto(initialise));
  const classify = await run(specOf('funn', 'classify', epochs.classify), onto(optimise));
  return { initialise, optimise, classify };
};

/** A checkpoint in which the weights of one network, or the moments, are changed. */
export const tampered = (
  { manifest, blobs }: Ran['last'],
  where: string,
  change: (name: string, values: Float32Array) => void,
): StageStart => {
  const stored = where === 'moments' ? manifest.moments! : manifest.networks[where]!;
  const specs = 'tensors' in stored ? stored.tensors : stored.weights;
  const tensors = unpackTensors(blobs.get(stored.blob)!, specs);
  for (const [i, values] of tensors.entries()) change(specs[i]!.name, values);
  const { blob, bytes } = packTensors(tensors);
  const changed =
    where === 'moments'
      ? { moments: { ...manifest.moments!, blob } }
      : { networks: { ...manifest.networks, [where]: { ...manifest.networks[where]!, blob } } };
  return {
    manifest: { ...manifest, ...changed },
    blobs: new Map([...blobs, [blob, bytes]]),
    sameChain: true,
  };
};
