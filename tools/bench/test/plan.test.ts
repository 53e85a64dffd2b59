import { engineVersion, SweepDefinition } from '@funnel/contracts';
import { openBackend } from '@funnel/engine';
import { outlineSweep } from '@funnel/planner';
import { expect, test } from 'vitest';
import { runShared, runUnshared } from '../src/plan.ts';
import { syntheticDataset } from '../src/time-stage.ts';

test('sharing stages between trials changes the number of epochs, and no bit of the results', async () => {
  await openBackend('wasm');
  const definition = SweepDefinition.parse({
    name: 'tiny',
    dataset: { name: 'mnist' },
    attacks: ['deepfool-l2'],
    space: {
      ...{ filters: ['2-3'], latent: [4], noise: [2], batchSize: [16] },
      ...{ initialiseEpochs: [2], optimiseEpochs: [1, 2], classifierEpochs: [1], gamma: [1, 5], beta: [10] },
    },
  });
  const outline = outlineSweep(definition, engineVersion);
  const dataset = syntheticDataset(40, 10);
  const [shared, unshared] = [await runShared(outline, dataset), await runUnshared(outline, dataset)];
  expect([...shared.checkpoints]).toEqual([...unshared.checkpoints]);
  expect(new Set(shared.checkpoints.values()).size).toBe(4);
  // The loss stays below β: the penalty is active, and every γ gives other weights.
  // Shared: one initialisation of 2, two chains of 2, four classifiers. Unshared: 2 + (1 or 2) + 1, four times.
  expect([shared.epochs, unshared.epochs]).toEqual([2 + 2 * 2 + 4, 2 * (2 + 1 + 1) + 2 * (2 + 2 + 1)]);
});
