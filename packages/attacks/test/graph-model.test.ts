/** An attack on a graph model, in the format that converters write. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { classifierModel, evaluateAttack } from '../src/index.ts';
import { useWasm } from './helpers/tiny.ts';

beforeAll(useWasm);

const constant = (name: string, dtype: string, shape: readonly number[]) => ({
  name,
  op: 'Const',
  attr: {
    dtype: { type: dtype },
    value: { tensor: { dtype, tensorShape: { dim: shape.map((size) => ({ size: String(size) })) } } },
  },
});

/** logits = reshape(images) · weights. */
const artifacts = (weights: readonly number[]): tf.io.ModelArtifacts => ({
  modelTopology: {
    node: [
      {
        name: 'images',
        op: 'Placeholder',
        attr: {
          dtype: { type: 'DT_FLOAT' },
          shape: { shape: { dim: ['-1', '2', '2', '1'].map((size) => ({ size })) } },
        },
      },
      constant('rows', 'DT_INT32', [2]),
      constant('weights', 'DT_FLOAT', [4, 2]),
      { name: 'flat', op: 'Reshape', input: ['images', 'rows'], attr: { T: { type: 'DT_FLOAT' } } },
      {
        name: 'logits',
        op: 'MatMul',
        input: ['flat', 'weights'],
        attr: { T: { type: 'DT_FLOAT' }, transpose_a: { b: false }, transpose_b: { b: false } },
      },
    ],
    versions: { producer: 1 },
  },
  weightSpecs: [
    { name: 'rows', shape: [2], dtype: 'int32' },
    { name: 'weights', shape: [4, 2], dtype: 'float32' },
  ],
  weightData: new Uint8Array([
    ...new Uint8Array(Int32Array.of(-1, 4).buffer),
    ...new Uint8Array(Float32Array.from(weights).buffer),
  ]).buffer,
});

it('a graph model can be loaded and differentiated: DeepFool moves the image by 1.05 |f| / ‖w‖', async () => {
  const graph = await tf.loadGraphModel({ load: async () => artifacts([0, 2, 0, -1, 0, 0, 0, 2]) });
  const model = classifierModel(graph);
  expect(model).toMatchObject({ shape: [2, 2, 1], classes: 2 });
  // z₁ − z₀ = ⟨(2, −1, 0, 2), x⟩ = 0.3 at this image of class 1; ‖w‖₂ = 3.
  const given = { images: Float32Array.of(0.2, 0.5, 0.5, 0.2), labels: [1] };
  const { records } = await evaluateAttack({ model, ...given, attack: 'deepfool-l2' });
  expect(records.steps).toEqual([1]);
  expect(records.l2[0]).toBeCloseTo(1.05 * 0.1, 6);
  graph.dispose();
});
