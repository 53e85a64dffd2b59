import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../src/backends/open-backend.ts';
import { createMeter } from '../src/training/measure.ts';

beforeAll(async () => {
  await openBackend('cpu');
});

describe('createMeter', () => {
  it('weights losses by images and the hinge by steps', async () => {
    const meter = createMeter();
    meter.add({ attackerLoss: tf.scalar(1), hingeActive: tf.scalar(1) }, 0, 30);
    meter.add({ attackerLoss: tf.scalar(4), hingeActive: tf.scalar(0) }, 1, 10);
    expect(await meter.flush()).toBeNull();
    expect(meter.finish(40, 2)).toEqual({ attackerLoss: 70 / 40, hingeActive: 0.5 });
  });

  it('continues from sums, and gives the same mean however often it is flushed', async () => {
    const values = [0.1, 0.7, 1e-9, 3.3];
    const measure = async (flushes: readonly number[]) => {
      let meter = createMeter();
      for (const [step, value] of values.entries()) {
        meter.add({ defenderLoss: tf.scalar(value) }, step, 3);
        if (!flushes.includes(step)) continue;
        await meter.flush();
        meter = createMeter(JSON.parse(JSON.stringify(meter.sums())));
      }
      await meter.flush();
      return meter.finish(12, 4).defenderLoss;
    };
    expect(await measure([0, 2])).toBe(await measure([]));
  });

  it('names the first value that is not finite and its step, and keeps no tensor', async () => {
    const before = tf.memory().numTensors;
    const meter = createMeter();
    for (const [step, value] of [1, Number.POSITIVE_INFINITY, Number.NaN].entries())
      meter.add({ attackerLoss: tf.scalar(value) }, step, 1);
    expect(await meter.flush()).toEqual({ name: 'attackerLoss', value: Number.POSITIVE_INFINITY, step: 1 });
    meter.add({ attackerLoss: tf.scalar(1) }, 3, 1);
    meter.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
