/** A trial's own networks in this browser. Imported only where they are wanted: TF.js is large. */
import * as tf from '@tensorflow/tfjs';
import { client, readToken } from '../data/api.ts';
import { type ModelPlace, modelPath, type NetworkName } from './networks.ts';

export type BrowserModel = {
  /** Images [batch, height, width, channels] in [0, 1] → logits [batch, classes]. Differentiable. */
  readonly logits: (images: tf.Tensor4D) => tf.Tensor2D;
  /** Images → what the defender's auto-encoder makes of them, same shape; null where its generator is gone. */
  readonly reconstruct: ((images: tf.Tensor4D) => tf.Tensor4D) | null;
  /** What runs it: `webgl` or `cpu`. */
  readonly backend: string;
  readonly dispose: () => void;
};

const load = (checkpoint: string, network: NetworkName): Promise<tf.LayersModel> => {
  const token = readToken();
  const headers = token === null ? undefined : { authorization: `Bearer ${token}` };
  return tf.loadLayersModel(client.urlOf(modelPath(checkpoint, network)), { requestInit: { headers } });
};

/** Loads encoder, classifier and generator. Rejects when the first two cannot be had. */
export const loadModel = async ({ classifier, autoEncoder }: ModelPlace): Promise<BrowserModel> => {
  await tf.ready();
  const [encoder, head, generator] = await Promise.all([
    load(classifier, 'defender-encoder'),
    load(classifier, 'head'),
    autoEncoder === null ? null : load(autoEncoder, 'defender-generator').catch(() => null),
  ]);
  // One network's output is the next one's input: layers models answer one tensor each.
  const encode = (images: tf.Tensor4D) => encoder.apply(images) as tf.Tensor;
  return {
    logits: (images) => head.apply(encode(images)) as tf.Tensor2D,
    reconstruct: generator === null ? null : (images) => generator.apply(encode(images)) as tf.Tensor4D,
    backend: tf.getBackend(),
    dispose: () => {
      for (const model of [encoder, head, generator]) model?.dispose();
    },
  };
};
