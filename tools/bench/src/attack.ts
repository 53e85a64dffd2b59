/** `bench attack`: the time of each attack per image, beside Foolbox's on a similar machine, and beside the time of the model's passes alone. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ClassifierModel, classifierModel, evaluateAttack } from '@funnel/attacks';
import {
  AppError,
  classesOf,
  DatasetName,
  type EvaluationSummary,
  stageDataset,
  sweepDataset,
} from '@funnel/contracts';
import { gatherImages, loadDataset, openBackend } from '@funnel/engine';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { type AttackCase, attackCaseNames, attackCases, meets } from './attack-cases.ts';
import { attackPeers } from './attack-peers.ts';
import { readOptions } from './options.ts';

const fixtureModel = fileURLToPath(new URL('../../../fixtures/oracle/mnist-conv', import.meta.url));

const fixtureData = fileURLToPath(new URL('../../../fixtures/data', import.meta.url));

const Options = z.strictObject({
  model: z.string().default(fixtureModel),
  dataset: DatasetName.default('mnist'),
  data: z.string().default(fixtureData),
  images: z.coerce.number().pipe(z.int().min(1).max(10_000)).default(500),
  only: z
    .string()
    .transform((names) => names.split(','))
    .pipe(z.array(z.enum(attackCaseNames)))
    .default([...attackCaseNames]),
  backend: z.enum(['auto', 'cuda', 'tensorflow', 'webgpu', 'wasm', 'cpu']).default('wasm'),
  json: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

export const attackUsage = `attack [--model DIR] [--dataset mnist|fashion-mnist|glyphs] [--images 500] [--only ${attackCaseNames.slice(0, 2).join(',')},…]
       [--data DIR] [--backend wasm|…] [--json]
  Times every attack on a layers model that outputs logits (default fixtures/oracle/mnist-conv), beside Foolbox 1.8 and 3.3.4, on at most
  --images images. An attack that only Foolbox 1.8 has runs on at most 100 images, since that version takes images one by one. --data: the folder that
  has mnist/ (default fixtures/data, with the first 1,000 test images).`;

/** Times the chosen attacks on the first correctly classified test images. Slow attacks run on fewer images. */
const benchAttack = async ({
  model: folder,
  dataset,
  data,
  images,
  only,
  backend,
}: Options): Promise<readonly AttackTiming[]> => {
  await openBackend(backend);
  const model = await loadLayersModel(folder);
  const given = await correctImages(model, dataset, data, images);
  const passes = await timePasses(model, given.images);
  const timings: AttackTiming[] = [];
  for (const attackCase of attackCases.filter(({ name }) => only.includes(name)))
    timings.push(await timeAttack(model, given, attackCase, passes));
  return timings;
};

type Given = {
  readonly images: Float32Array;
  readonly labels: Int32Array;
  readonly indices: readonly number[];
};
type Passes = { readonly forward: number; readonly backward: number };

const timeAttack = async (
  model: ClassifierModel,
  given: Given,
  attackCase: AttackCase,
  passes: Passes,
): Promise<AttackTiming> => {
  const { attack, name, foolbox18, foolbox3, target = null } = attackCase;
  const count = Math.min(given.labels.length, attackCase.maxImages);
  await evaluateAttack({ model, ...take(given, Math.min(count, attackCase.warmUp)), attack }); // compiles its kernels
  const cpu = process.cpuUsage();
  const start = performance.now();
  const { summary } = await evaluateAttack({ model, ...take(given, count), attack });
  const seconds = (performance.now() - start) / 1000 / count;
  const { user, system } = process.cpuUsage(cpu);
  return {
    attack: name,
    images: count,
    seconds,
    cpuSeconds: (user + system) / 1e6 / count,
    floorSeconds: floor(attackCase, summary, passes),
    foolbox18,
    foolbox3,
    target,
    meetsTarget: target && meets(target, { foolbox18, foolbox3 }, seconds),
    successRate: summary.successRate ?? 0,
  };
};

const floor = ({ passes }: AttackCase, summary: EvaluationSummary, { forward, backward }: Passes): number => {
  const counts = passes({ steps: summary.meanSteps ?? 0, queries: summary.meanQueries ?? 0 });
  return counts.forward * forward + counts.backward * backward;
};

const take = ({ images, labels, indices }: Given, count: number): Given => ({
  images: images.subarray(0, (count * images.length) / labels.length),
  labels: labels.subarray(0, count),
  indices: indices.slice(0, count),
});

const loadLayersModel = async (folder: string): Promise<ClassifierModel> => {
  const file = join(folder, 'model.json');
  if (!existsSync(file))
    throw new AppError(
      'ATTACK_INPUT',
      `Expected a layers model in ${folder}, but there is no model.json: name another folder with --model`,
    );
  const { modelTopology, weightsManifest } = JSON.parse(await readFile(file, 'utf8'));
  const shards: string[] = weightsManifest.flatMap(({ paths }: { paths: string[] }) => paths);
  const weights = Buffer.concat(await Promise.all(shards.map((shard) => readFile(join(folder, shard)))));
  const weightSpecs = weightsManifest.flatMap(
    (group: { weights: tf.io.WeightsManifestEntry[] }) => group.weights,
  );
  const weightData = new Uint8Array(weights).buffer;
  return classifierModel(
    await tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData })),
  );
};

/** The first `count` test images that the model classifies correctly, or fewer where the folder `data` has no more images. */
const correctImages = async (
  model: ClassifierModel,
  name: z.output<typeof DatasetName>,
  data: string,
  count: number,
): Promise<Given> => {
  const available = data === fixtureData ? 1000 : 10_000;
  const choice = { name, test: Math.min(2 * count + 100, available), attack: 1 };
  const spec = stageDataset(sweepDataset(choice));
  const test = await (await loadDataset(spec, { dir: data })).test();
  const rows = Array.from({ length: test.count }, (_, row) => row);
  const pixels = gatherImages(test, rows);
  const logits = tf.tidy(() => model.logits(tf.tensor(pixels, [rows.length, ...model.shape])));
  const classes = classesOf(await logits.data<'float32'>(), model.classes);
  logits.dispose();
  const indices = rows.filter((row) => classes[row] === test.labels[row]).slice(0, count);
  return {
    images: gatherImages(test, indices),
    labels: Int32Array.from(indices, (row) => test.labels[row]!),
    indices,
  };
};

const batch = 128;
const repeats = 20;

/** Seconds per image of a forward pass, and of the backward pass that a gradient adds, in full batches: the best of several. */
const timePasses = async (model: ClassifierModel, images: Float32Array): Promise<Passes> => {
  const width = model.shape.reduce((product, size) => product * size, 1);
  const x = tf.tensor(
    Float32Array.from({ length: batch * width }, (_, i) => images[i % images.length]!),
    [batch, ...model.shape],
  );
  const best = async (run: () => tf.Tensor): Promise<number> => {
    let fastest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < repeats; i++) {
      const start = performance.now();
      const result = tf.tidy(run);
      await result.data();
      fastest = Math.min(fastest, performance.now() - start);
      result.dispose();
    }
    return fastest / 1000 / batch;
  };
  const forward = await best(() => model.logits(x));
  const gradient = await best(() => tf.grad((input) => tf.sum(model.logits(input)))(x));
  x.dispose();
  return { forward, backward: Math.max(gradient - forward, 0) };
};

/** The command. Prints a table, or one JSON line per attack. */
export const attack = async (args: readonly string[]): Promise<void> => {
  if (args.includes('--peers')) return attackPeers(args.filter((word) => word !== '--peers'));
  const options = readOptions(Options, args);
  const timings = await benchAttack(options).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
    return null;
  });
  if (timings === null) return;
  if (options.json) {
    for (const timing of timings) console.log(JSON.stringify(timing));
    return;
  }
  printTimings(timings);
};

export type AttackTiming = {
  readonly attack: string;
  readonly images: number;
  /** Wall and processor time, seconds per image. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** The time of the model's passes alone, at the speed of a full batch. */
  readonly floorSeconds: number;
  readonly foolbox18: number | null;
  readonly foolbox3: number | null;
  /** Null where the case has no target. */
  readonly target: NonNullable<AttackCase['target']> | null;
  readonly meetsTarget: boolean | null;
  readonly successRate: number;
};

export const printTimings = (timings: readonly AttackTiming[]): void => {
  const seconds = (value: number | null): string => (value === null ? '–' : value.toFixed(4));
  const times = (anchor: number | null, own: number): string =>
    anchor === null ? '' : `${(anchor / own).toFixed(1)}×`;
  const print = (cells: readonly string[]) =>
    console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(26) : cell.padStart(10))).join(''));
  const targetOf = ({ target, meetsTarget }: AttackTiming): string =>
    target === null
      ? ''
      : `${[target.foolbox18, target.foolbox3].map((times) => (times ? `${times}×` : '–')).join(' ')} ${meetsTarget ? '✓' : '✗'}`;
  print(['attack', 'images', 's/image', 'cpu', 'floor', '1.8', '', '3.3.4', '', 'target', 'success']);
  for (const t of timings)
    print([
      t.attack,
      String(t.images),
      seconds(t.seconds),
      seconds(t.cpuSeconds),
      seconds(t.floorSeconds),
      seconds(t.foolbox18),
      times(t.foolbox18, t.seconds),
      seconds(t.foolbox3),
      times(t.foolbox3, t.seconds),
      targetOf(t),
      `${(100 * t.successRate).toFixed(0)} %`,
    ]);
};
