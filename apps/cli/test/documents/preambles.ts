/** Code that the code blocks of a document need before them. */
import * as tf from '@tensorflow/tfjs';

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
