import { beforeAll, expect, it } from 'vitest';
import { openBackend } from '../../src/backends/open-backend.ts';
import { onto, run, specOf } from '../stages.ts';

beforeAll(async () => void (await openBackend('cpu')));

it('with label smoothing, the loss stays above the entropy of the smoothed targets', async () => {
  const encoder = onto(await run(specOf('classic', 'initialise', 1)));
  const lossWith = async (labelSmoothing: number) => {
    const hyperparameters = { labelSmoothing, classifierRate: 0.05 };
    const { metrics } = await run(specOf('classic', 'classify', 30, hyperparameters), encoder);
    return metrics.at(-1)!.classifierLoss!;
  };
  const share = 0.5;
  const right = 1 - share + share / 10;
  const wrong = share / 10;
  const entropy = -right * Math.log(right) - 9 * wrong * Math.log(wrong); // of each target, in nats: 1.77
  expect(await lossWith(share)).toBeGreaterThan(entropy);
  expect(await lossWith(0)).toBeLessThan(entropy); // without smoothing, the loss falls below that
});
