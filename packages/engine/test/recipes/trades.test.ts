import { beforeAll, expect, it } from 'vitest';
import { openBackend } from '../../src/backends/open-backend.ts';
import { unpackTensors } from '../../src/checkpoint.ts';
import { type Ran, run, specOf } from '../stages.ts';

beforeAll(async () => void (await openBackend('cpu')));

const weightsOf = ({ last: { manifest, blobs } }: Ran): number[] => {
  const { blob, weights } = manifest.networks.classifier!;
  return unpackTensors(blobs.get(blob)!, weights).flatMap((values) => [...values]);
};
const greatestDifference = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i]!)), 0);

it('with β = 0 trains the same weights as the plain recipe, with β = 1 others', async () => {
  const hyperparameters = { trainingSteps: 2, warmupEpochs: 0 };
  const [plain, zero, one] = [
    await run(specOf('plain', 'classify', 2)),
    await run(specOf('trades', 'classify', 2, { ...hyperparameters, tradesBeta: 0 })),
    await run(specOf('trades', 'classify', 2, { ...hyperparameters, tradesBeta: 1 })),
  ].map(weightsOf);
  expect(greatestDifference(zero!, plain!)).toBeLessThan(1e-6);
  expect(greatestDifference(one!, plain!)).toBeGreaterThan(1e-4);
});

it('with ε = 0 has almost no divergence, because x′ is x', async () => {
  const { metrics } = await run(specOf('trades', 'classify', 1, { trainingSteps: 1, trainingEpsilon: 0 }));
  expect(metrics[0]!.divergenceLoss).toBeCloseTo(0, 6);
  expect(metrics[0]!.attackedAccuracy).toBe(metrics[0]!.trainAccuracy);
});
