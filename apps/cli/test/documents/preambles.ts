/** Files and code that the blocks of documents need before them. */
import * as tf from '@tensorflow/tfjs';
import { encode } from 'fast-png';

/** A linear classifier as TensorFlow.js saves one, file by file. */
export const linearModel = async (): Promise<Record<'model.json' | 'weights.bin', Uint8Array>> => {
  tf.env().set('IS_TEST', true); // otherwise tfjs prints an advertisement
  await tf.setBackend('cpu');
  const model = tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape: [28, 28, 1] }),
      tf.layers.dense({ units: 10, kernelInitializer: tf.initializers.glorotUniform({ seed: 1 }) }),
    ],
  });
  let files: Record<'model.json' | 'weights.bin', Uint8Array> | undefined;
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
      const json = JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest });
      files = {
        'model.json': new TextEncoder().encode(json),
        'weights.bin': new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData)),
      };
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  if (!files) throw new Error('Expected the model to be saved, but it was not');
  return files;
};

/** Pictures of several sizes in the folder `pets`, by their paths. */
export const pictures = (): Readonly<Record<string, Uint8Array>> =>
  Object.fromEntries(
    ['cat', 'dog'].flatMap((name, label) =>
      Array.from({ length: 6 }, (_, i) => {
        const [width, height] = [20 + i, 30 - i];
        const data = new Uint8Array(width * height * 3).fill(100 * label + i);
        return [`pets/${name}/${i}.png`, encode({ width, height, channels: 3, data })];
      }),
    ),
  );

export const preambles: Readonly<Record<string, string>> = {
  'docs/attacks.md': `
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
const { weightsManifest, ...artifacts } = JSON.parse(readFileSync('my-model/model.json', 'utf8'));
const { buffer } = new Uint8Array(readFileSync('my-model/weights.bin'));
const url = tf.io.fromMemory({ ...artifacts, weightSpecs: weightsManifest[0].weights, weightData: buffer });
const images = tf.randomUniform([4, 28, 28, 1], 0, 1, 'float32', 1);
const labels = [0, 1, 2, 3];
`,
};
