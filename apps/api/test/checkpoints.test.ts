import { defaultHyperparameters } from '@funnel/contracts';
import { claimStage, recordCheckpoint } from '@funnel/db';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
// The parts of the engine that make a checkpoint without training.
import { packTensors } from '../../../packages/engine/src/checkpoint.ts';
import { joined, weightSpecs } from '../../../packages/engine/src/models/architecture.ts';
import { classifierHead, encoder } from '../../../packages/engine/src/models/auto-encoders.ts';
import { createNetwork } from '../../../packages/engine/src/models/network.ts';
import { topologyOf } from '../../../packages/engine/src/models/topology.ts';
import { build, oneTrial, type TestApp } from './build.ts';

let api: TestApp;
let url: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
  api = await build();
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => api.close());

const body = encoder([28, 28, 1], { ...defaultHyperparameters, filters: '4-8', latent: 6 });
const classifier = joined(body, classifierHead(body, 5, 10));
/** Weights that differ from each other, but not from run to run. */
const values = weightSpecs(classifier).map(({ shape }, i) =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, j) => Math.sin(i + 0.37 * j) / 3),
);

/** Stores the network as the checkpoint of a running stage. Returns its hash. */
const store = async (): Promise<string> => {
  await api.app.inject({ method: 'POST', url: '/v1/sweeps', payload: oneTrial });
  const claimed = await claimStage(api.db, { workerId: 'w', leaseSeconds: 60 });
  const { blob, bytes } = packTensors(values);
  const weights = weightSpecs(classifier).map(({ name, shape }) => ({ name, shape: [...shape] }));
  const { stageId, fencingToken } = claimed!;
  const { hash } = await recordCheckpoint(api.db, {
    ...{
      stageId,
      fencingToken,
      blobs: new Map([[blob, bytes]]),
      metrics: { attackerLoss: 1, defenderLoss: 1 },
    },
    manifest: {
      position: { epoch: 1, step: 0 },
      networks: { classifier: { topology: topologyOf(classifier), weights, blob } },
      moments: null,
      scalars: {},
    },
  });
  return hash;
};

test('a stored network opens in tfjs by its address, and gives the same outputs as in the engine', async () => {
  const hash = await store();
  const model = await tf.loadLayersModel(`${url}/v1/checkpoints/${hash}/classifier/model.json`);
  const images = tf.randomUniform([3, 28, 28, 1], 0, 1, 'float32', 5);
  const network = createNetwork(classifier, values);
  const [loaded, own] = [model.predict(images) as tf.Tensor, network.apply(images)];
  expect(loaded.shape).toEqual([3, 10]);
  const difference = tf.max(tf.abs(tf.sub(loaded, own))).dataSync()[0]!;
  expect(difference).toBeLessThan(1e-5);
  expect(tf.max(tf.abs(own)).dataSync()[0]).toBeGreaterThan(0.01);

  const weights = await fetch(`${url}/v1/checkpoints/${hash}/classifier/weights.bin`);
  expect(weights.headers.get('content-type')).toBe('application/octet-stream');
  expect(weights.headers.get('cache-control')).toMatch(/private, .*immutable/);
  const missing = await fetch(`${url}/v1/checkpoints/${hash}/constructor/model.json`);
  expect(await missing.json()).toMatchObject({
    code: 'NOT_FOUND',
    detail: expect.stringContaining('one of classifier'),
  });
});
