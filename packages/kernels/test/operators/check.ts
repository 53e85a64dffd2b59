/**
 * Checks one use of an operator on the current backend: its gradient against central differences, one for each value of its inputs.
 */
import * as tf from '@tensorflow/tfjs';
import type { OperatorCase } from './use.ts';

/** What a check found. An error of TensorFlow.js stands in the place of what it prevented. */
export interface Finding {
  readonly output: Float32Array | Error;
  /** ‖gradient − differences‖ / ‖differences‖, for each input. */
  readonly errors: readonly number[] | Error;
  /** The gradients one after the other. */
  readonly gradient: Float32Array;
}

/** Numbers in [0, 1) from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` values in an interval in random order, no two of them close, so that a small step changes no order. */
function distinctValues(
  count: number,
  [low, high]: readonly [number, number],
  random: () => number,
): Float32Array {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return Float32Array.from(order, (i) => low + ((high - low) * (i + 0.25 + 0.5 * random())) / count);
}

const step = 2 ** -9;

const attempt = <T>(compute: () => T): T | Error => {
  try {
    return compute();
  } catch (error) {
    return error as Error; // tfjs throws nothing else
  }
};

/** The output of the case for inputs one after the other in `values`. */
function outputOf({ shapes, apply }: OperatorCase, values: Float32Array): Float32Array {
  return tf.tidy(() => Float32Array.from(apply(...split(values, shapes)).dataSync()));
}

function split(values: Float32Array, shapes: OperatorCase['shapes']): tf.Tensor[] {
  let start = 0;
  return shapes.map((shape) => {
    const end = start + tf.util.sizeFromShape([...shape]);
    const tensor = tf.tensor(values.slice(start, end), [...shape]);
    start = end;
    return tensor;
  });
}

export function check(use: OperatorCase): Finding {
  const random = randomFrom(7);
  const sizes = use.shapes.map((shape) => tf.util.sizeFromShape([...shape]));
  const count = sizes.reduce((sum, size) => sum + size, 0);
  const values = distinctValues(count, use.range, random);
  const output = attempt(() => outputOf(use, values));
  if (output instanceof Error) return { output, errors: output, gradient: new Float32Array() };
  const weights = Float32Array.from(output, () => 2 * random() - 1); // the loss is Σ weight · output
  const computed = attempt(() =>
    tf.tidy(() => {
      const loss = (...inputs: tf.Tensor[]): tf.Scalar => {
        const y = use.apply(...inputs);
        return tf.sum(tf.mul(y, tf.tensor(weights, y.shape)));
      };
      const gradients = tf.grads(loss)(split(values, use.shapes));
      return Float32Array.from(gradients.flatMap((gradient) => Array.from(gradient.dataSync())));
    }),
  );
  if (computed instanceof Error) return { output, errors: computed, gradient: new Float32Array() };
  const differences = values.map((value, i) => {
    const [above, below] = [value + step, value - step].map((moved) => Math.fround(moved)) as [
      number,
      number,
    ];
    const lossAt = (moved: number): number =>
      outputOf(use, values.with(i, moved)).reduce((sum, y, j) => sum + y * weights[j]!, 0);
    return (lossAt(above) - lossAt(below)) / (above - below);
  });
  let start = 0;
  const errors = sizes.map((size) => {
    const [g, d] = [computed, differences].map((all) => all.subarray(start, start + size)) as [
      Float32Array,
      Float32Array,
    ];
    start += size;
    const norm = Math.hypot(...d);
    return Math.hypot(...g.map((value, i) => value - d[i]!)) / (norm || 1);
  });
  return { output, errors, gradient: computed };
}

/** The largest difference of two outputs, relative to the largest value. */
export function distance(one: Float32Array, other: Float32Array): number {
  const scale = Math.max(...other.map(Math.abs)) || 1;
  return Math.max(...one.map((value, i) => Math.abs(value - other[i]!))) / scale;
}
