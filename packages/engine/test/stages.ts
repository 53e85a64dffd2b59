/** Small stages for tests: specifications, a run that collects what it hands over, and lines of stages. */
import {
  Hyperparameters,
  type Recipe,
  type RecipeName,
  recipes,
  type StageKind,
  type StageSpec,
} from '@funnel/contracts';
import { type Checkpoint, hashManifest } from '../src/checkpoint.ts';
import { loadDataset } from '../src/datasets/load-dataset.ts';
import { runStage } from '../src/run-stage.ts';
import type { StageOutcome, StageStart } from '../src/stage.ts';

/** Two batches of 16 and one of 8 per epoch. */
export const small = {
  filters: '2-3',
  latent: 5,
  noise: 2,
  batchSize: 16,
  classifierUnits: 6,
} satisfies Partial<Hyperparameters>;

export const dataset = { name: 'glyphs', train: 40, test: 30, attack: 1 } as const;

const named = '0'.repeat(64); // the engine never reads a stage's identity

export const specOf = (
  recipe: RecipeName,
  kind: StageKind,
  epochs: number,
  knobs: Partial<Hyperparameters> = {},
  over: Partial<StageSpec> = {},
): StageSpec => {
  const stages: Recipe['stages'] = recipes[recipe].stages;
  const all = Hyperparameters.parse({ ...small, ...knobs });
  const reads = stages.find((stage) => stage.kind === kind)?.reads ?? [];
  const hyperparameters = Object.fromEntries(reads.map((name) => [name, all[name]]));
  const rest = { seed: 7, dataset, parent: null, attack: null };
  return { id: named, chain: named, kind, recipe, hyperparameters, epochs, ...rest, ...over };
};

export type Ran = {
  readonly outcome: StageOutcome;
  readonly checkpoints: readonly Checkpoint[];
  readonly metrics: readonly (Readonly<Record<string, number>> | null)[];
  readonly hashes: readonly string[];
  /** Everything needed to start from the last checkpoint. */
  readonly last: Omit<StageStart, 'sameChain'>;
};

export type RunOptions = {
  /** 0: a checkpoint before every step. */
  readonly checkpointSeconds?: number;
  readonly signal?: AbortSignal;
  /** Hears every checkpoint. */
  readonly during?: (checkpoint: Checkpoint) => void;
};

export const run = async (
  spec: StageSpec,
  start: StageStart | null = null,
  { checkpointSeconds, signal = new AbortController().signal, during }: RunOptions = {},
): Promise<Ran> => {
  const checkpoints: Checkpoint[] = [];
  const metrics: (Readonly<Record<string, number>> | null)[] = [];
  const blobs = new Map(start?.blobs);
  const outcome = await runStage(
    { spec, start },
    {
      dataset: await loadDataset(spec.dataset),
      signal,
      onCheckpoint: async (checkpoint, measured) => {
        checkpoints.push(checkpoint);
        metrics.push(measured);
        during?.(checkpoint);
        for (const [hash, bytes] of checkpoint.blobs) blobs.set(hash, bytes);
      },
      ...(checkpointSeconds === undefined ? {} : { checkpointSeconds }),
    },
  );
  const manifest = checkpoints.at(-1)?.manifest ?? start?.manifest;
  if (manifest === undefined) throw new Error('Expected a run that hands over a checkpoint');
  const hashes = checkpoints.map((checkpoint) => hashManifest(checkpoint.manifest));
  return { outcome, checkpoints, metrics, hashes, last: { manifest, blobs } };
};

export const onto = (ran: Pick<Ran, 'last'>): StageStart => ({ ...ran.last, sameChain: false });
export const continuing = (ran: Pick<Ran, 'last'>): StageStart => ({ ...ran.last, sameChain: true });
