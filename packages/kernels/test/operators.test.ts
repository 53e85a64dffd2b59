import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { correctOperators, operatorsWithoutGradient, operatorTable } from '../src/index.ts';
import { casesOf } from './operators/all.ts';
import { check, distance, type Finding } from './operators/check.ts';
import { operatorsPage } from './operators/page.ts';

import '@tensorflow/tfjs-backend-wasm';

beforeAll(() => {
  tf.enableProdMode(); // silences tfjs' advice to install tfjs-node
  correctOperators();
});

async function on(backend: 'cpu' | 'wasm', operator: string): Promise<Finding[]> {
  await tf.setBackend(backend);
  return casesOf.get(operator)!.map(check);
}

test('the table and the cases have the same operators', () => {
  expect(Object.keys(operatorTable).toSorted()).toEqual([...casesOf.keys()]);
});

describe.each([...casesOf.keys()])('%s', (operator) => {
  const { cpu: onCpu, wasm: onWasm } = operatorTable[operator]!;

  test('is what the table says', async () => {
    const findings = { cpu: await on('cpu', operator), wasm: await on('wasm', operator) };
    for (const [backend, support] of [
      ['cpu', onCpu],
      ['wasm', onWasm],
    ] as const) {
      for (const [i, { output, errors }] of findings[backend].entries()) {
        const { how } = casesOf.get(operator)![i]!;
        if (support.forward === 'none') expect(output, `${how}: output on ${backend}`).toBeInstanceOf(Error);
        else expect(output, `${how}: output on ${backend}`).toBeInstanceOf(Float32Array);
        if (support.gradient === 'none') {
          expect(errors, `${how}: gradient on ${backend}`).toBeInstanceOf(Error);
          continue;
        }
        expect(errors, `${how}: gradient on ${backend}`).not.toBeInstanceOf(Error);
        for (const error of errors as number[])
          expect(error, `${how}: gradient on ${backend}`).toBeLessThan(1e-3);
      }
    }
    if (onCpu.forward === 'none' || onWasm.forward === 'none') return;
    const distances = findings.cpu.map(({ output }, i) =>
      distance(findings.wasm[i]!.output as Float32Array, output as Float32Array),
    );
    if (onCpu.forward === 'right' && onWasm.forward === 'right')
      for (const [i, value] of distances.entries())
        expect(value, casesOf.get(operator)![i]!.how).toBeLessThan(1e-5); // NaN fails too
    else expect(Math.max(...distances)).toBeGreaterThan(0.01);
  });
});

test.each([
  ...[
    'AvgPool',
    'AvgPool3D',
    'MaxPool3D',
    'ResizeBilinear',
    'ResizeNearestNeighbor',
    'CropAndResize',
    'MirrorPad',
  ],
  ...['StridedSlice', 'GatherV2', 'GatherNd', 'ScatterNd', 'DepthToSpace', 'FlipLeftRight'],
])('the gradients of %s have the same bits on both backends', async (operator) => {
  const [cpu, wasm] = [await on('cpu', operator), await on('wasm', operator)];
  expect(wasm.map(({ gradient }) => gradient)).toEqual(cpu.map(({ gradient }) => gradient));
});

test('names the operators of a model that have no gradient on a backend', async () => {
  await tf.setBackend('cpu');
  const { kernelNames } = await tf.profile(() =>
    tf.tidy(() => {
      const x = tf.fused.conv2d({
        x: tf.ones<tf.Rank.R4>([1, 4, 4, 1]),
        filter: tf.ones<tf.Rank.R4>([2, 2, 1, 1]),
        strides: 1,
        pad: 'same',
      });
      return tf.cumprod(tf.maxPoolWithArgmax(x, 2, 2, 'same').result!);
    }),
  );
  expect(operatorsWithoutGradient(kernelNames, 'cpu')).toEqual(['Cumprod', 'MaxPoolWithArgmax']);
  expect(operatorsWithoutGradient(['Conv2D', 'FFT', 'Unheard', 'FFT'], 'wasm')).toEqual(['FFT', 'Unheard']);
  expect(operatorsWithoutGradient(['Conv2D', 'Cumprod'], 'webgpu')).toEqual(['Cumprod']);
});

test('docs/operators.md shows the table', async () => {
  await expect(operatorsPage()).toMatchFileSnapshot('../../../docs/operators.md');
});
