import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { openBackend } from '../../src/backends/open-backend.ts';
import { softened } from '../../src/recipes/distillation.ts';
import { onto, run, specOf } from '../stages.ts';

beforeAll(async () => void (await openBackend('cpu')));

it.each([1, 20, 100])('softened logits at T = %i agree with a plain computation', (temperature) => {
  const logits = [3, -40, 12, 0.5];
  const exponentials = logits.map((z) => Math.exp(z / temperature));
  const total = exponentials.reduce((a, b) => a + b);
  const soft = softened(tf.tensor2d([logits]), temperature).dataSync();
  for (const [k, value] of soft.entries()) expect(value).toBeCloseTo(exponentials[k]! / total, 6);
});

it('the student learns from the logits of the teacher, not from the labels', async () => {
  const hyperparameters = { temperature: 20, classifierRate: 0.01 };
  const teacher = await run(specOf('distillation', 'initialise', 1, hyperparameters));
  const longerTrained = await run(specOf('distillation', 'initialise', 40, hyperparameters));
  const student = async (taughtBy: typeof teacher) =>
    (await run(specOf('distillation', 'classify', 1, hyperparameters), onto(taughtBy))).last.manifest;
  const [one, other] = [await student(teacher), await student(longerTrained)];
  expect(one.networks.classifier!.blob).not.toBe(other.networks.classifier!.blob); // with the same seed, batches and labels
  expect(one.networks.teacher!.blob).toBe(teacher.last.manifest.networks.teacher!.blob);
});
