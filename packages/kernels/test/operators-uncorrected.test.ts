import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { casesOf } from './operators/all.ts';
import { check, distance } from './operators/check.ts';
import { faults } from './operators/page.ts';

import '@tensorflow/tfjs-backend-wasm';

beforeAll(() => {
  tf.enableProdMode(); // silences tfjs' advice to install tfjs-node
});

/** Whether a gradient is missing or wrong, or both backends answer and differ. Stops at the first such case: a later one never ends. */
async function isFaulty(operator: string, backend: 'cpu' | 'wasm'): Promise<boolean> {
  for (const use of casesOf.get(operator)!) {
    await tf.setBackend(backend);
    const { output, errors } = check(use);
    if (errors instanceof Error || errors.some((error) => !(error < 0.01))) return true;
    await tf.setBackend(backend === 'cpu' ? 'wasm' : 'cpu');
    const other = check(use).output;
    if (other instanceof Error || !(distance(output as Float32Array, other) < 0.01)) return true;
  }
  return false;
}

const rows = Object.entries(faults).flatMap(([operator, [backends, fault]]) =>
  backends.map((backend) => [operator, backend, fault] as const),
);

// A row that fails here is corrected in a newer TensorFlow.js: remove the correction.
test.each(rows)('TensorFlow.js alone: %s on %s: %s', async (operator, backend) => {
  expect(await isFaulty(operator, backend)).toBe(true);
});
