/** `bench plan`: what sharing saves, counted for a large sweep and measured on a small one. */
import { parseArgs } from 'node:util';
import { SweepDefinition } from '@funnel/contracts';
import { engineVersion, openBackend } from '@funnel/engine';
import { buildPlan, outlineSweep } from '@funnel/planner';
import { z } from 'zod';
import { syntheticDataset } from './images.ts';
import { runShared, runUnshared } from './run-outline.ts';

export const planUsage = `plan [--backend auto|cuda|tensorflow|webgpu|wasm|cpu] [--images 256] [--json]
  Epochs of 3 γ × 3 β × 3 rates × epochs {11, 21, 31} × 3 seeds with and without sharing; then a small sweep, trained both ways.`;

const Options = z.strictObject({
  images: z.coerce.number().pipe(z.int().min(1)).default(256),
  backend: z.enum(['auto', 'cuda', 'tensorflow', 'webgpu', 'wasm', 'cpu']).default('wasm'),
  json: z.boolean().default(false),
});

const base = { dataset: { name: 'mnist' }, attacks: ['deepfool-l2'] } as const;

/** The sweep of the paper's kind that the plan is counted for. */
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

/** The same tree, cut down: few images, a small network, few epochs. */
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
    beta: [0.05, 0.5], // the second bites on every step, so that every trial ends differently
    optimiseEpochs: [1, 2, 3],
  },
  seeds: 2,
});

const count = (definition: SweepDefinition) => {
  const outline = outlineSweep(definition, engineVersion);
  return { outline, plan: buildPlan(outline, new Map()).plan };
};

export const plan = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: { images: { type: 'string' }, backend: { type: 'string' }, json: { type: 'boolean' } },
  });
  const { images, backend, json } = Options.parse(values);
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
