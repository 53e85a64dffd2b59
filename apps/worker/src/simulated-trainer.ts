/**
 * A trainer without arithmetic: weights and numbers are hashes. Each step hashes the state before it, so a resume from the wrong state, a
 * missing step or a repeated step gives another hash. Tests of queue, leases, kills and database use it.
 */
import { createHash } from 'node:crypto';
import { summarise } from '@funnel/attacks/statistics';
import {
  AppError,
  type CleanCounts,
  countClean,
  dataOf,
  type EvaluationRecords,
  isBounded,
  type Recipe,
  recipes,
  type StageSpec,
} from '@funnel/contracts';
import type { EvaluationWrite } from '@funnel/db';
import type { Checkpoint, StageEnd, StageHooks, StageRunner, StageTask } from './messages.ts';
import { injectFault, type SimulationOptions } from './simulated-faults.ts';

/** A number in [0, 1) for image `index`, from the hash of the attacked network's state. */
const draw = (state: Uint8Array, what: string, index: number): number =>
  createHash('sha256').update(state).update(`${what}:${index}`).digest().readUInt32LE(0) / 2 ** 32;

const attackImages = (state: Uint8Array, images: number): EvaluationRecords => {
  const index = Array.from({ length: images }, (_, i) => i);
  const correct = index.map((i) => draw(state, 'correct', i) < 0.9);
  const success = index.map((i) => correct[i]! && draw(state, 'success', i) < 0.5);
  const label = index.map((i) => i % 10);
  const distance = (maximum: number) =>
    index.map((i) => (success[i] ? maximum * draw(state, `distance ${maximum}`, i) : null));
  return {
    index,
    label,
    correct,
    success,
    predicted: index.map((i) => (success[i] || !correct[i] ? (i + 1) % 10 : i % 10)),
    l2: distance(3),
    linf: distance(0.3),
    l0: index.map((i) => (success[i] ? 1 + Math.floor(700 * draw(state, 'l0', i)) : null)),
    steps: index.map((i) => (correct[i] ? 1 : 0)),
    queries: index.map((i) => (correct[i] ? 2 : 0)),
  };
};

/** A simulated evaluation of the network with this state: plausible numbers that depend on the state alone. */
export const simulatedEvaluation = (spec: StageSpec, state: Uint8Array): EvaluationWrite => {
  if (!spec.attack)
    throw new AppError('INTERNAL', `Expected an attack in the stage ${spec.id}, but got none`);
  const [height, width, channels] = dataOf(spec.dataset).shape;
  const records = attackImages(state, spec.dataset.attack);
  return {
    attack: spec.attack.attack,
    settings: spec.attack.settings,
    summary: summarise(records, { width: height * width * channels, hasBudget: isBounded(spec.attack) }),
    verdict: 'ok',
    diagnostics: [],
    records,
    gallery: { shape: [1, 1, 1], index: [0], original: Uint8Array.of(0), attacked: Uint8Array.of(255) },
  };
};

const sha256 = (...parts: readonly (string | Uint8Array)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest();
};

/** Float32 in [0, 1): eight numbers from the hash, repeated up to `bytes`. */
const asWeights = (state: Buffer, bytes: number): Uint8Array => {
  const floats = Float32Array.from(
    { length: bytes / 4 },
    (_, i) => state.readUInt32LE((i % 8) * 4) / 2 ** 32,
  );
  return new Uint8Array(floats.buffer);
};

const hex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const tensorsOf = (bytes: Uint8Array) => [{ name: 'kernel', shape: [bytes.length / 4] }];

const checkpointAt = (
  state: Buffer,
  position: { epoch: number; step: number },
  { weightBytes }: { readonly weightBytes: number },
): Checkpoint => {
  const network = asWeights(state, weightBytes);
  const moments = new Uint8Array(state);
  return {
    manifest: {
      position,
      networks: { encoder: { topology: {}, weights: tensorsOf(network), blob: hex(network) } },
      moments: { tensors: tensorsOf(moments), blob: hex(moments) },
      scalars: {},
    },
    blobs: new Map([
      [hex(network), network],
      [hex(moments), moments],
    ]),
  };
};

/** The state before the first step: the moments of a start of the same chain, a hash of another start's network, or a hash of the chain. */
const firstState = ({ spec, start }: StageTask): Buffer => {
  if (!start) return sha256('scratch', spec.chain);
  const blob = start.sameChain ? start.manifest.moments?.blob : start.manifest.networks.encoder?.blob;
  const bytes = blob && start.blobs.get(blob);
  if (!bytes)
    throw new Error(
      `Expected the blob ${blob} among the blobs of the start, but got ${[...start.blobs.keys()].join(', ')}`,
    );
  return start.sameChain ? Buffer.from(bytes) : sha256('parent', spec.chain, bytes);
};

/** The state of the attacked network, hashed with the states of the surrogates. */
const attackedState = (task: StageTask): Buffer => {
  const { spec, surrogates } = task;
  if (spec.surrogates.length > 0 && surrogates.length === 0)
    throw new Error(`Expected surrogates for the attack ${spec.attack?.attack}, but got none`);
  const others = surrogates.map(({ manifest, blobs }) => {
    const bytes = blobs.get(manifest.networks.encoder!.blob);
    if (!bytes) throw new Error(`Expected the bytes of every surrogate, but one has none`);
    return bytes;
  });
  const state = firstState(task);
  return others.length > 0 ? sha256(state, ...others) : state;
};

const metricsOf = (spec: StageSpec, state: Buffer): Record<string, number> => {
  const stages: Recipe['stages'] = recipes[spec.recipe].stages;
  const names = stages.find(({ kind }) => kind === spec.kind)?.records ?? [];
  const share = (name: string): number => sha256(name, state).readUInt32LE(0) / 2 ** 32;
  // At least half of the test images are right: a lower share could be that of guesses, and the trial untrained.
  return Object.fromEntries(
    names.map((name) => [name, name === 'cleanAccuracy' ? (1 + share(name)) / 2 : share(name)]),
  );
};

/** The test images of a classifier, one of each class in turn. The state decides which of them are correct. Null for other stages. */
const perClassOf = ({ kind, dataset }: StageSpec, state: Buffer): CleanCounts | null => {
  if (kind !== 'classify') return null;
  const { classCount } = dataOf(dataset);
  const images = Array.from({ length: dataset.test }, (_, i) => i);
  const right = (i: number) => Number(state[i % state.length]! < 230);
  return countClean(
    images.map((i) => i % classCount),
    images.map(right),
    classCount,
  );
};

const train = async (
  task: StageTask,
  hooks: StageHooks,
  options: Required<SimulationOptions>,
): Promise<StageEnd> => {
  const { spec } = task;
  const from = task.start?.sameChain ? task.start.manifest.position : { epoch: 0, step: 0 };
  let state = firstState(task);
  for (let epoch = from.epoch; epoch < spec.epochs; epoch++) {
    for (let step = epoch === from.epoch ? from.step : 0; step < options.stepsPerEpoch; step++) {
      const end = await injectFault(spec, epoch, step, options);
      if (end) return end;
      state = sha256(state, `${epoch}`, `${step}`);
      hooks.onProgress({ position: { epoch, step: step + 1 }, imagesPerSecond: null });
      if (hooks.signal.aborted && step + 1 < options.stepsPerEpoch) {
        await hooks.onCheckpoint(checkpointAt(state, { epoch, step: step + 1 }, options), null, null);
        return { status: 'stopped' };
      }
    }
    await hooks.onCheckpoint(
      checkpointAt(state, { epoch: epoch + 1, step: 0 }, options),
      metricsOf(spec, state),
      perClassOf(spec, state),
    );
    if (hooks.signal.aborted && epoch + 1 < spec.epochs) return { status: 'stopped' };
  }
  return { status: 'completed', evaluation: null };
};

const attack = async (
  task: StageTask,
  hooks: StageHooks,
  options: Required<SimulationOptions>,
): Promise<StageEnd> => {
  for (let step = 0; step < options.stepsPerEpoch; step++) {
    const end = await injectFault(task.spec, 0, step, options);
    if (end) return end;
    hooks.onProgress({ position: null, imagesPerSecond: null });
    if (hooks.signal.aborted) return { status: 'stopped' };
  }
  return { status: 'completed', evaluation: simulatedEvaluation(task.spec, attackedState(task)) };
};

export const createSimulatedTrainer = (options: SimulationOptions): StageRunner => {
  const filled: Required<SimulationOptions> = {
    stepsPerEpoch: 4,
    stepMilliseconds: 0,
    faults: [],
    weightBytes: 32,
    journal: null,
    ...options,
  };
  return {
    identity: { backend: 'stand-in', device: 'none', engineVersion: 'stand-in' },
    run: (task, hooks) => (task.spec.kind === 'attack' ? attack : train)(task, hooks, filled),
  };
};
