/** Loads the networks of a trial into this browser. Import it dynamically: TF.js is large. */
import * as tf from '@tensorflow/tfjs';
import { client, readToken } from '../data/api.ts';
import { type ModelCheckpoints, modelPath, type NetworkName } from './networks.ts';

export type BrowserModel = {
  /** Images [batch, height, width, channels] in [0, 1] → logits [batch, classes]. Differentiable. */
  readonly logits: (images: tf.Tensor4D) => tf.Tensor2D;
  /** Images → the defender's reconstructions, same shape; null where the generator is no longer stored. */
  readonly reconstruct: ((images: tf.Tensor4D) => tf.Tensor4D) | null;
  /** The backend of TF.js: `webgl` or `cpu`. */
  readonly backend: string;
  readonly dispose: () => void;
};

const load = (checkpoint: string, network: NetworkName): Promise<tf.LayersModel> => {
  const token = readToken();
  const headers = token === null ? undefined : { authorization: `Bearer ${token}` };
  return tf.loadLayersModel(client.urlOf(modelPath(checkpoint, network)), { requestInit: { headers } });
};

/** Loads encoder, classifier and generator. Rejects when encoder or classifier cannot be loaded. */
export const loadModel = async ({ classifier, autoEncoder }: ModelCheckpoints): Promise<BrowserModel> => {
  await tf.ready();
  const [encoder, head, generator] = await Promise.all([
    load(classifier, 'defender-encoder'),
    load(classifier, 'head'),
    autoEncoder === null ? null : load(autoEncoder, 'defender-generator').catch(() => null),
  ]);
  // These layers models return one tensor each.
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
