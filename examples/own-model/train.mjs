/**
 * Trains a small classifier in TensorFlow.js and writes it into a folder, with test images: model.json, weights.bin, X.npy, Y.npy.
 *   node examples/own-model/train.mjs FOLDER
 * It stands in for a model that you have trained elsewhere. Its input is pixels scaled to −1 to 1, as many people do;
 * its output is logits.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { classes, drawShape, size } from '../shapes.mjs';

const [folder] = process.argv.slice(2);
if (!folder) throw new Error('Expected a folder to write to: node examples/own-model/train.mjs FOLDER');

const counts = { train: 450, test: 150 };
const epochs = 20;

const drawMany = (first, count) => Array.from({ length: count }, (_, i) => drawShape(first + i));
const bytesOf = (shapes) => Uint8Array.from(shapes.flatMap(({ pixels }) => Array.from(pixels)));
const labelsOf = (shapes) => Uint8Array.from(shapes.map(({ label }) => label));

/** The NPY format of numpy, version 1.0: a header of a multiple of 64 bytes, then the values. */
const npy = (bytes, shape) => {
  const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const length = Math.ceil((10 + header.length + 1) / 64) * 64 - 10;
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, length % 256, Math.floor(length / 256)]);
  return Buffer.concat([start, Buffer.from(`${header.padEnd(length - 1)}\n`), bytes]);
};

const saveTo = (target) =>
  tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
    const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
    const json = JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest });
    writeFileSync(path.join(target, 'model.json'), json);
    writeFileSync(path.join(target, 'weights.bin'), Buffer.from(tf.io.CompositeArrayBuffer.join(weightData)));
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
  });

tf.env().set('IS_TEST', true); // without it TensorFlow.js prints an advertisement
await tf.setBackend('cpu');
const seeded = (seed) => ({ kernelInitializer: tf.initializers.glorotUniform({ seed }) });
const model = tf.sequential({
  layers: [
    tf.layers.averagePooling2d({ inputShape: [size, size, 3], poolSize: 4 }), // fewer inputs, so that training takes seconds
    tf.layers.flatten(),
    tf.layers.dense({ units: 48, activation: 'relu', ...seeded(1) }),
    tf.layers.dense({ units: classes.length, ...seeded(2) }), // logits: no softmax
  ],
});
model.compile({
  optimizer: tf.train.adam(3e-3),
  loss: (labels, logits) => tf.neg(tf.mean(tf.sum(tf.mul(labels, tf.logSoftmax(logits)), -1))), // cross-entropy
  metrics: ['accuracy'],
});

const train = drawMany(0, counts.train);
const test = drawMany(counts.train, counts.test);
const tensors = (shapes) => [
  tf.tensor4d(bytesOf(shapes), [shapes.length, size, size, 3], 'float32').div(127.5).sub(1),
  tf.oneHot(tf.tensor1d(labelsOf(shapes), 'int32'), classes.length),
];
await model.fit(...tensors(train), { epochs, batchSize: 32, shuffle: false, verbose: 0 });
const [, accuracy] = model.evaluate(...tensors(test));

mkdirSync(folder, { recursive: true });
await model.save(saveTo(folder));
writeFileSync(path.join(folder, 'X.npy'), npy(bytesOf(test), [counts.test, size, size, 3]));
writeFileSync(path.join(folder, 'Y.npy'), npy(labelsOf(test), [counts.test]));
const share = (100 * accuracy.dataSync()[0]).toFixed(1);
console.log(
  `${folder}: model.json, weights.bin, X.npy, Y.npy. ${share} % of ${counts.test} test images are right.`,
);
