/** `bench examine`: how often the examination of a classifier flags honest models, and models whose gradients are wrong. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { type ClassifierModel, classifierModel, examineClassifier } from '@funnel/attacks';
import {
  engineVersion,
  hasGradients,
  recipeNames,
  SweepDefinition,
  stageDataset,
  sweepDataset,
} from '@funnel/contracts';
import {
  type Checkpoint,
  gatherImages,
  loadClassifier,
  loadDataset,
  openBackend,
  runStage,
} from '@funnel/engine';
import { outlineSweep } from '@funnel/planner';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { readOptions } from './options.ts';
import { median } from './timing.ts';

const Options = z.strictObject({
  seeds: z.coerce.number().pipe(z.int().min(1).max(1000)).default(100),
  backend: z.enum(['wasm', 'cpu']).default('wasm'),
  /** Only the models whose names contain this text. */
  only: z.string().default(''),
  json: z.boolean().default(false),
});

export const examineUsage = `examine [--seeds 100] [--backend wasm|cpu] [--only mnist-conv] [--json]
  Examines the oracle models, 21 trained recipes, layers models with pooling, dropout and normalisation, and models with wrong
  gradients, with this many seeds each. It says how often the gradients were flagged. --only: the models
  whose names contain this text.`;

type Images = { readonly images: Float32Array; readonly labels: Int32Array };
type Case = { readonly name: string; readonly model: ClassifierModel; readonly wrong: boolean } & Images;

const fixtures = fileURLToPath(new URL('../../../fixtures', import.meta.url));
const count = 100;

/** The first test images of a data set in `fixtures/data`: IDX files, whose headers have 16 and 8 bytes. */
const fixtureImages = async (dataset: string): Promise<Images> => {
  const read = async (file: string) => gunzipSync(await readFile(join(fixtures, 'data', dataset, file)));
  const pixels = (await read('t10k-images-idx3-ubyte.gz')).subarray(16, 16 + count * 784);
  const labels = (await read('t10k-labels-idx1-ubyte.gz')).subarray(8, 8 + count);
  return { images: Float32Array.from(pixels, (value) => value / 255), labels: Int32Array.from(labels) };
};

const glyphs = async (): Promise<Images> => {
  const test = await (
    await loadDataset(stageDataset(sweepDataset({ name: 'glyphs', test: count, attack: 1 })))
  ).test();
  const rows = Array.from({ length: test.count }, (_, row) => row);
  return { images: gatherImages(test, rows), labels: Int32Array.from(test.labels) };
};

const oracles = async (): Promise<Case[]> => {
  const cases: Case[] = [];
  for (const name of ['mnist-conv', 'mnist-mlp', 'fashion-conv', 'fashion-mlp']) {
    const folder = join(fixtures, 'oracle', name);
    const { modelTopology, weightsManifest } = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8'));
    const weightData = new Uint8Array(await readFile(join(folder, 'weights.bin'))).buffer;
    const artifacts = { modelTopology, weightSpecs: weightsManifest[0].weights, weightData };
    const model = classifierModel(await tf.loadLayersModel(tf.io.fromMemory(artifacts)));
    const images = await fixtureImages(name.startsWith('mnist') ? 'mnist' : 'fashion-mnist');
    cases.push({ name, model, wrong: false, ...images });
  }
  return cases;
};

/** Every recipe with three seeds, trained for a moment. */
const trainedRecipes = async (): Promise<Case[]> => {
  const definition = SweepDefinition.parse({
    name: 'examine',
    recipes: recipeNames,
    dataset: { name: 'glyphs', train: 200, test: count, attack: 1 },
    space: { filters: '8-16', latent: 16, initialiseEpochs: 2, optimiseEpochs: 2, classifierEpochs: 5 },
    seeds: [0, 1, 2],
    attacks: ['fgsm'],
  });
  const { stages } = outlineSweep(definition, engineVersion);
  const dataset = await loadDataset(stageDataset(sweepDataset(definition.dataset)));
  const checkpoints = new Map<string, Checkpoint>();
  const images = await glyphs();
  const cases: Case[] = [];
  for (const stage of stages) {
    if (stage.kind === 'attack') continue;
    const parent = stage.parent === null ? null : checkpoints.get(stage.parent)!;
    const start = parent && { manifest: parent.manifest, blobs: parent.blobs, sameChain: false };
    const signal = new AbortController().signal;
    await runStage(
      { spec: stage, start },
      {
        dataset,
        signal,
        onCheckpoint: async (checkpoint) => {
          const blobs = new Map([...(parent?.blobs ?? []), ...checkpoint.blobs]);
          checkpoints.set(stage.id, { ...checkpoint, blobs });
        },
      },
    );
    if (stage.kind !== 'classify') continue;
    const model: ClassifierModel = { ...loadClassifier(checkpoints.get(stage.id)!), bounds: [0, 1] };
    cases.push({ name: `${stage.recipe}, seed ${stage.seed}`, model, wrong: false, ...images });
  }
  return cases;
};

/** Networks with the layers that recipes do not have, trained for a moment. */
const layersModels = async (): Promise<Case[]> => {
  const images = await glyphs();
  const { layers } = tf;
  const head = () => [layers.flatten(), layers.dense({ units: 10 })];
  const shape = [28, 28, 1];
  const conv = (filters: number) =>
    layers.conv2d({ filters, kernelSize: 3, activation: 'relu', inputShape: shape });
  const networks: Readonly<Record<string, tf.layers.Layer[]>> = {
    'max pooling': [
      conv(8),
      layers.maxPooling2d({ poolSize: 2 }),
      conv(16),
      layers.maxPooling2d({ poolSize: 2 }),
      ...head(),
    ],
    'average pooling': [conv(8), layers.averagePooling2d({ poolSize: 2 }), ...head()],
    dropout: [conv(8), layers.dropout({ rate: 0.5 }), ...head()],
    'batch normalisation': [
      conv(8),
      layers.batchNormalization(),
      layers.maxPooling2d({ poolSize: 2 }),
      ...head(),
    ],
    'global average pooling': [
      conv(16),
      conv(16),
      layers.globalAveragePooling2d({}),
      layers.dense({ units: 10 }),
    ],
    elu: [conv(8), layers.elu(), layers.dense({ units: 16, activation: 'softplus' }), ...head()],
  };
  const cases: Case[] = [];
  for (const [name, list] of Object.entries(networks)) {
    const model = tf.sequential({ layers: list });
    model.compile({
      optimizer: tf.train.adam(2e-3),
      loss: (labels, logits) => tf.losses.softmaxCrossEntropy(labels, logits),
    });
    const x = tf.tensor(images.images, [count, ...shape]);
    const y = tf.oneHot(tf.tensor1d(images.labels, 'int32'), 10).toFloat();
    await model.fit(x, y, { epochs: 5, batchSize: 20, shuffle: false, verbose: 0 });
    tf.dispose([x, y]);
    cases.push({ name, model: classifierModel(model), wrong: false, ...images });
  }
  return cases;
};

/** The model with a wrong gradient for its input. */
const withGradient = (model: ClassifierModel, gradient: (dy: tf.Tensor) => tf.Tensor): ClassifierModel => {
  const input = tf.customGrad((x) => ({ value: (x as tf.Tensor).clone(), gradFunc: gradient }));
  return classifierModel((images) => model.logits(input(images)), {
    shape: model.shape,
    classes: model.classes,
  });
};

/** 1 on the left half of each image, `other` on the right. */
const halves = (other: number): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: 784 }, (_, i) => (i % 28 < 14 ? 1 : other)),
    [1, 28, 28, 1],
  );

const wrongGradients = async ([conv, mlp]: readonly Case[]): Promise<Case[]> =>
  [conv!, mlp!].flatMap((honest) =>
    Object.entries({
      'too long by 10 %': (dy: tf.Tensor) => dy.mul(1.1),
      'too short by 10 %': (dy: tf.Tensor) => dy.mul(0.9),
      'turned around': (dy: tf.Tensor) => dy.neg(),
      zero: (dy: tf.Tensor) => tf.zerosLike(dy),
      'zero on one half': (dy: tf.Tensor) => dy.mul(halves(0)),
      'turned around on one half': (dy: tf.Tensor) => dy.mul(halves(-1)),
      'not a number': (dy: tf.Tensor) => dy.div(0).sub(dy.div(0)),
    }).map(([name, gradient]) => ({
      ...honest,
      name: `${honest.name}, gradient ${name}`,
      model: withGradient(honest.model, gradient),
      wrong: true,
    })),
  );

type Row = {
  readonly model: string;
  readonly wrong: boolean;
  readonly seeds: number;
  readonly flagged: number;
  readonly medianError: number | null;
  readonly maxError: number | null;
  readonly milliseconds: number;
};

const examineOften = async ({ name, model, wrong, images, labels }: Case, seeds: number): Promise<Row> => {
  const errors: number[] = [];
  const times: number[] = [];
  let flagged = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const start = performance.now();
    const examination = await examineClassifier({ model, images, labels, seed });
    times.push(performance.now() - start);
    if (!hasGradients(examination)) flagged++;
    const value = examination.findings.find((finding) => finding.name === 'gradients')?.value;
    if (typeof value === 'number') errors.push(value);
  }
  return {
    model: name,
    wrong,
    seeds,
    flagged,
    medianError: errors.length > 0 ? median(errors) : null,
    maxError: errors.length > 0 ? Math.max(...errors) : null,
    milliseconds: Math.round(median(times)),
  };
};

/** The command. Prints one line per model, and exits with 1 when an honest model was flagged or a wrong one was not. */
export const examine = async (args: readonly string[]): Promise<void> => {
  const { seeds, backend, only, json } = readOptions(Options, args);
  await openBackend('wasm'); // networks are trained on wasm, which is fast
  const honest = [...(await oracles()), ...(await trainedRecipes()), ...(await layersModels())];
  const cases = [...honest, ...(await wrongGradients(honest))].filter(({ name }) => name.includes(only));
  await openBackend(backend);
  for (const one of cases) {
    const row = await examineOften(one, seeds);
    const isRight = row.flagged === (row.wrong ? seeds : 0);
    if (!isRight) process.exitCode = 1;
    const { model, flagged, medianError, maxError, milliseconds } = row;
    console.log(
      json
        ? JSON.stringify({ ...row, backend })
        : `${isRight ? '✓' : '✗'} ${model}: flagged ${flagged} of ${seeds}, error ${medianError?.toFixed(4) ?? '–'} (at most ${maxError?.toFixed(4) ?? '–'}), ${milliseconds} ms`,
    );
  }
};
