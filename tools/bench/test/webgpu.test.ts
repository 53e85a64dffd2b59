import { evaluateAttack } from '@funnel/attacks';
import type { Hyperparameters, RecipeName, StageKind } from '@funnel/contracts';
import { type BackendName, loadClassifier, openBackend, runStage } from '@funnel/engine';
import { beforeAll, describe, expect, test } from 'vitest';
import { specOf, syntheticDataset } from '../src/time-stage.ts';
import { prepareVulkan } from './vulkan.ts';

const missing = await prepareVulkan();
if (missing) console.warn(`SKIPPED: WebGPU is not tested, ${missing}.`);

/** Sums are in single precision and in another order. Losses and noise levels may differ by this ratio, pixels by this difference. */
const lossTolerance = 1e-3;
const pixelTolerance = 1e-4;

const hyperparameters: Partial<Hyperparameters> = {
  ...{ filters: '4-8', latent: 8, noise: 4, batchSize: 8, beta: 0.5 },
  ...{ optimiseAttackerRate: 1e-3, optimiseDefenderRate: 1e-3, classifierRate: 1e-2, classifierUnits: 16 },
};
const stages: readonly (readonly [RecipeName, StageKind, number])[] = [
  ['funn', 'initialise', 1],
  ['funn', 'optimise', 1],
  ['funn', 'classify', 2],
];
/** Few small images: software Vulkan takes half a second for a step and for the compilation of each of fifty shaders. */
const dataset = syntheticDataset(16, 10);

/** Every loss of every epoch, and the result of an attack on the classifier. */
async function trainAndAttack(backend: BackendName) {
  await openBackend(backend);
  const losses: number[] = [];
  let state: Parameters<typeof loadClassifier>[0] | undefined;
  for (const [recipe, kind, epochs] of stages) {
    const spec = { ...specOf(recipe, kind, hyperparameters, dataset.spec), epochs };
    const start = state ? { ...state, sameChain: false } : null;
    const known = state?.blobs ?? new Map<string, Uint8Array>();
    const outcome = await runStage(
      { spec, start },
      {
        dataset,
        signal: new AbortController().signal,
        onCheckpoint: async ({ manifest, blobs }, metrics) => {
          state = { manifest, blobs: new Map([...known, ...blobs]) };
          for (const [name, value] of Object.entries(metrics ?? {}))
            if (name.endsWith('Loss')) losses.push(value);
        },
      },
    );
    if (outcome.status !== 'completed') throw new Error(`${kind} on ${backend}: ${JSON.stringify(outcome)}`);
  }
  const { read, count, labels, shape } = await dataset.test();
  const images = read(Array.from({ length: count }, (_, i) => i));
  const classifier = loadClassifier(state!);
  const model = { ...classifier, bounds: [0, 1] as const, shape: [...shape] };
  const { summary, adversarials } = await evaluateAttack({
    model,
    labels,
    attack: 'deepfool-l2',
    images: Float32Array.from(images, (byte) => byte / 255),
  });
  classifier.dispose();
  return { losses, summary, adversarials };
}

describe.skipIf(missing !== undefined)('webgpu', () => {
  let results: Record<'wasm' | 'webgpu', Awaited<ReturnType<typeof trainAndAttack>>>;
  beforeAll(async () => {
    results = { wasm: await trainAndAttack('wasm'), webgpu: await trainAndAttack('webgpu') };
  }, 240_000);

  test('has the same loss curve as wasm', () => {
    const { wasm, webgpu } = results;
    expect(webgpu.losses).toHaveLength(wasm.losses.length);
    expect(wasm.losses.length).toBe(2 + 2 + 2);
    for (const [i, loss] of wasm.losses.entries())
      expect(Math.abs(webgpu.losses[i]! / loss - 1), `loss ${i}`).toBeLessThan(lossTolerance);
  });

  test('has the same attack results as wasm', () => {
    const { wasm, webgpu } = results;
    expect(wasm.summary.attempted).toBeGreaterThan(0);
    expect(wasm.summary.successes).toBe(wasm.summary.attempted);
    const counts = ({ images, attempted, successes, meanSteps }: typeof wasm.summary) => ({
      ...{ images, attempted, successes, meanSteps },
    });
    expect(counts(webgpu.summary)).toEqual(counts(wasm.summary));
    expect(Math.abs(webgpu.summary.noiseLevel! / wasm.summary.noiseLevel! - 1)).toBeLessThan(lossTolerance);
    const worst = wasm.adversarials.reduce(
      (max, value, i) => Math.max(max, Math.abs(value - webgpu.adversarials[i]!)),
      0,
    );
    expect(worst).toBeLessThan(pixelTolerance);
  });
});
