/** A trainer runs many stages. An attack that is stopped between two steps must leave no tensor in it. */
import { engineVersion, SweepDefinition } from '@funnel/contracts';
import { outlineSweep } from '@funnel/planner';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import type { StageStart, StageTask } from '../src/messages.ts';
import { createStageRunner } from '../src/run-stage.ts';

const attacks = [
  'pgd-linf',
  'apgd-ce-linf',
  'deepfool-l2',
  'cw-l2',
  'fab-t-linf',
  'fmn-l2',
  'hop-skip-jump-l2',
  'square-linf',
];

const sweep = SweepDefinition.parse({
  name: 'stopped',
  recipes: ['classic'],
  dataset: { name: 'glyphs', train: 512, test: 64, attack: 32 },
  space: { filters: '8', latent: 16, initialiseEpochs: 1, optimiseEpochs: 1, classifierEpochs: 4 },
  attacks,
});

let run: Awaited<ReturnType<typeof createStageRunner>>['run'];
let tasks: readonly StageTask[];

beforeAll(async () => {
  ({ run } = await createStageRunner({ folders: {}, backend: 'wasm', simulation: null }));
  let last = null as Omit<StageStart, 'sameChain'> | null; // assigned in a callback, which the compiler does not follow
  const { stages } = outlineSweep(sweep, engineVersion);
  for (const spec of stages.filter(({ kind }) => kind !== 'attack')) {
    const start = last && { ...last, sameChain: false };
    await run(
      { spec, start, surrogates: [] },
      {
        signal: new AbortController().signal,
        onCheckpoint: async ({ manifest, blobs }) => {
          last = { manifest, blobs: new Map([...(last?.blobs ?? []), ...blobs]) };
        },
        onProgress: () => {},
      },
    );
  }
  tasks = stages
    .filter(({ kind }) => kind === 'attack')
    .map((spec) => ({ spec, start: { ...last!, sameChain: false }, surrogates: [] }));
}, 60_000);

/** A signal that is aborted after `turns` checks. Attacks check it between two steps. */
const stopAfter = (turns: number): AbortSignal => {
  const stop = new AbortController();
  let left = turns;
  const check = () => {
    if (left-- === 0) stop.abort();
    AbortSignal.prototype.throwIfAborted.call(stop.signal);
  };
  return Object.defineProperty(stop.signal, 'throwIfAborted', { value: check });
};

test.each(attacks.flatMap((attack) => [1, 2, 5].map((turns) => ({ attack, turns }))))(
  '$attack, stopped at check $turns',
  async ({ attack, turns }) => {
    const task = tasks.find(({ spec }) => spec.attack?.attack === attack)!;
    const tensors = tf.memory().numTensors;
    const hooks = { signal: stopAfter(turns), onCheckpoint: async () => {}, onProgress: () => {} };
    expect(await run(task, hooks)).toEqual({ status: 'stopped' });
    expect(tf.memory().numTensors).toBe(tensors);
  },
);
