/** Trains a sweep's stages in this process, with and without sharing them between trials. */
import type { StageSpec } from '@funnel/contracts';
import { type Checkpoint, hashManifest, type LoadedDataset, runStage, type StageStart } from '@funnel/engine';
import type { Outline } from '@funnel/planner';

export type Run = {
  /** Hash of the checkpoint that each trial ends with, by the trial's number. */
  readonly checkpoints: ReadonlyMap<number, string>;
  readonly epochs: number;
  readonly seconds: number;
};

type Blobs = Checkpoint['blobs'];
/** A checkpoint with every blob that its manifest names. */
type State = { readonly manifest: Checkpoint['manifest']; readonly blobs: Blobs };

/** Trains a stage from `start` and answers the state after each of its epochs, the last one last. */
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
  if (outcome.status === 'completed' || outcome.status === 'collapsed') return states; // too short a training may well collapse
  throw new Error(
    `Expected ${spec.kind} to complete, but it ${'message' in outcome ? outcome.message : outcome.status}`,
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

/** Every trial trains all of its own stages. */
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

/** Every stage is trained once; a longer run passes through the shorter ones of its chain. */
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
