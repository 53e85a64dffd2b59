import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { filledTensor, unitTensor } from '../src/new-tensors.ts';
import { openBackend } from './compare.ts';

describe.each(['cpu', 'wasm'] as const)('new tensors on %s', (backend) => {
  beforeAll(() => openBackend(backend));

  it.each([1, 3, 4, 255, 256])('%i bytes become floats in [0, 1], rounded once', (count) => {
    const bytes = Uint8Array.from({ length: count }, (_, i) => i);
    const tensor = unitTensor([1, count], bytes);
    expect(tensor.shape).toEqual([1, count]);
    expect(tensor.dtype).toBe('float32');
    expect(tensor.dataSync()).toEqual(Float32Array.from(bytes, (byte) => byte / 255));
    tensor.dispose();
  });

  it('a tensor keeps its values when the next one is made', () => {
    const before = tf.memory().numTensors;
    const first = unitTensor([2], Uint8Array.of(0, 255));
    const second = filledTensor([2], (values) => values.set([3, 4]));
    const third = unitTensor([2], Uint8Array.of(255, 0));
    expect([first, second, third].map((tensor) => [...tensor.dataSync()])).toEqual([
      [0, 1],
      [3, 4],
      [1, 0],
    ]);
    expect([...tf.add(first, second).dataSync()]).toEqual([3, 5]);
    expect(tf.memory().numTensors).toBe(before + 4);
  });
});
