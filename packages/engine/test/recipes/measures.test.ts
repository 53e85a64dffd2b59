/** These tests say which images count as correct when logits are not finite. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../src/backends/open-backend.ts';
import { cleanMeasures, correctOf } from '../../src/batches.ts';
import { memorySplit } from '../../src/datasets/split.ts';
import { accuracyOf } from '../../src/training/measure.ts';

const [inf, nan] = [Number.POSITIVE_INFINITY, Number.NaN];
/** Logits of one image each, its label, and whether it is correct. */
const answers = [
  { logits: [3, 1, 2], label: 0, correct: 1 },
  { logits: [3, 1, 2], label: 2, correct: 0 },
  { logits: [nan, nan, nan], label: 0, correct: 0 },
  { logits: [nan, 1, 2], label: 0, correct: 0 },
  { logits: [5, 1, nan], label: 0, correct: 0 },
  { logits: [inf, 1, inf], label: 0, correct: 0 },
  { logits: [-inf, -inf, -inf], label: 0, correct: 0 },
  { logits: [2, 2, 1], label: 0, correct: 1 },
] as const;

const logits = () => tf.tensor2d(answers.map((answer) => [...answer.logits]));
const split = memorySplit(
  [1, 1, 1],
  Uint8Array.from(answers.keys()),
  answers.map(({ label }) => label),
);
/** Looks up the logits of each image. The one pixel of an image is its index. */
const network = (images: tf.Tensor): tf.Tensor =>
  tf.gather(logits(), images.mul(255).round().reshape([-1]).toInt());

describe.each(['wasm', 'cpu'] as const)('on %s', (backend) => {
  beforeAll(async () => {
    await openBackend(backend);
  });

  it('an image for which the logits give no class is never correct', async () => {
    const correct = await correctOf(network, split);
    expect([...correct]).toEqual(answers.map((answer) => answer.correct));
    expect(cleanMeasures(correct, split, 4)).toEqual({
      cleanAccuracy: 2 / 8,
      perClass: { images: [7, 0, 1, 0], correct: [2, 0, 0, 0] },
    });
    const labels = tf.tensor1d([...split.labels], 'int32');
    expect(accuracyOf(logits(), labels).dataSync()[0]).toBe(2 / 8);
  });
});
