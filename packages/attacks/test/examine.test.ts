/** The examination on models whose faults are known. `npm run bench -- examine` does the same with 100 seeds and trained recipes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Examination } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ClassifierModel,
  classifierModel,
  examineClassifier,
  type LoadOptions,
  loadClassifier,
  splitByGradients,
} from '../src/index.ts';
import { loadImages, loadClassifier as loadOracleClassifier, oracleNames } from './helpers/oracle.ts';
import { writeOtherModels } from './helpers/other-models.ts';
import { useWasm } from './helpers/tiny.ts';

let folder: string;
const shape = [28, 28, 1];
const first50 = Array.from({ length: 50 }, (_, i) => i);
const mnist = loadImages('mnist-conv', first50);
const seeds = [0, 1, 2];

beforeAll(async () => {
  await useWasm();
  folder = mkdtempSync(join(tmpdir(), 'funnel-examine-'));
  await writeOtherModels(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const load = (name: string, options: LoadOptions = {}) =>
  loadClassifier(join(folder, name), { shape, ...options });

const examine = (
  model: ClassifierModel,
  labels: ArrayLike<number> = mnist.labels,
  seed = 0,
): Promise<Examination> => {
  const [low, high] = model.bounds;
  return examineClassifier({
    model,
    images: mnist.images.map((value) => low + value * (high - low)),
    labels,
    seed,
  });
};

const findingsOf = ({ findings }: Examination) =>
  findings.flatMap(({ name, status }) => (status === 'ok' ? [] : [`${name} ${status}`]));

describe('honest models are not flagged', () => {
  it.each(oracleNames)('%s', async (name) => {
    const model = await loadOracleClassifier(name);
    const { images, labels } = loadImages(name, first50);
    for (const seed of seeds) {
      const before = tf.memory().numTensors;
      const examination = await examineClassifier({ model, images, labels, seed });
      expect(tf.memory().numTensors).toBe(before);
      expect(findingsOf(examination)).toEqual([]);
      expect(examination).toMatchObject({ status: 'ok', gradients: 'right', backend: 'wasm', images: 50 });
      expect(examination.findings.find((finding) => finding.name === 'gradients')!.value).toBeLessThan(0.01);
    }
  });

  it.each([
    ['base', {}],
    ['channels-first', {}],
    ['flat', {}],
    ['dropout', {}],
    ['depthwise', {}],
    ['dilated', {}],
    ['conv3d', {}],
    ['upsample-and-pool', {}],
    ['keras-3', {}],
    ['graph', {}],
    ['fixed-batch', {}],
    ['softmax', { fromProbabilities: true }],
    ['sigmoid', { fromProbabilities: true }],
    ['rescaling-255', { bounds: [0, 255] }],
    ['minus-one-to-one', { bounds: [-1, 1] }],
  ] as const)('%s', async (name, options) => {
    expect(findingsOf(await examine(await load(name, options)))).toEqual([]);
  });
});

describe('what is wrong is said with the way out', () => {
  it.each([
    ['softmax', 'outputs refused', /probabilities.*`fromProbabilities`/],
    ['softmax-layer', 'outputs refused', /probabilities.*`fromProbabilities`/],
    ['sigmoid', 'outputs refused', /sigmoids.*`fromProbabilities`/],
    ['tanh', 'outputs marked', /tanh/],
    ['logits-times-20', 'saturation marked', /saturated in float32.*apgd-t, deepfool, fmn/],
    [
      'rescaling-255',
      'accuracy refused',
      /does the model expect values from 0 to 255\? \(`bounds: \[0, 255\]`\)/,
    ],
    [
      'minus-one-to-one',
      'accuracy refused',
      /several fit about as well: `bounds` .*\[-1, 1\] \(\d+ %\).* Accuracy does not tell which one is right/,
    ],
    ['always-wrong', 'accuracy refused', /labels in another order/],
    ['nan-beyond', 'outputs marked', /not finite numbers for \d+ of 50 images.*never counts as a success/],
    ['root-of-square', 'gradients marked', /not a number at \d of \d images.*square root/],
    ['rounded', 'gradients marked', /zero everywhere, although the outputs change/],
  ] as const)('%s: %s', async (name, finding, words) => {
    for (const seed of seeds) {
      const examination = await examine(await load(name), mnist.labels, seed);
      expect(findingsOf(examination)).toContain(finding);
      expect(examination.findings.map(({ detail }) => detail).join('\n')).toMatch(words);
    }
  });

  it('a model that gives all images the same outputs', async () => {
    const model = classifierModel((x) => tf.zeros([x.shape[0]!, 10]).add(tf.sum(x).mul(0)), {
      shape,
      classes: 10,
    });
    expect(findingsOf(await examine(model))).toContain('outputs refused');
  });

  it('a model whose answers are random', async () => {
    const base = await load('base');
    const model = classifierModel((x) => base.logits(tf.dropout(x, 0.2)), { shape, classes: 10 });
    expect(findingsOf(await examine(model))).toContain('repeatability marked');
  });

  it('a model in which an image depends on the others of the batch', async () => {
    const base = await load('base');
    const model = classifierModel((x) => base.logits(x.sub(tf.mean(x, 0, true).mul(0.3))), {
      shape,
      classes: 10,
    });
    expect(findingsOf(await examine(model))).toContain('independence marked');
  });
});

it('the options that mend a model come with the finding', async () => {
  const of = async (name: string) =>
    (await examine(await load(name))).findings.flatMap(({ code, options }) =>
      options ? [{ code, options }] : [],
    );
  expect(await of('rescaling-255')).toEqual([{ code: 'other-pixel-range', options: { bounds: [0, 255] } }]);
  expect(await of('softmax')).toEqual([{ code: 'probabilities', options: { fromProbabilities: true } }]);
  expect(await of('base')).toEqual([]);
});

describe('a model that fails gets a finding with its own words, and leaves no tensor', () => {
  /** `base`, which answers as `change` says. */
  const failing = async (
    change: (logits: tf.Tensor2D, images: tf.Tensor) => unknown,
  ): Promise<ClassifierModel> => {
    const base = await load('base');
    return { ...base, logits: (images) => change(base.logits(images), images) as tf.Tensor2D };
  };
  const throwing = (words: string): never => {
    throw new Error(`${words}.\nMore words`);
  };
  it.each<[string, (logits: tf.Tensor2D, images: tf.Tensor) => unknown, string]>([
    ['throws', () => throwing('no more memory'), 'outputs: The model fails: no more memory.'],
    [
      'throws no error',
      () => {
        throw 'tired';
      },
      'outputs: The model fails: tired.',
    ],
    [
      'returns a list',
      (logits) => [logits, logits],
      'outputs: The model fails: Expected logits as a tensor, but the model returned Array.',
    ],
    [
      'returns a wrong rank',
      (logits) => logits.expandDims(2),
      'outputs: The model fails: Expected logits of shape [50, 10] for 50 images, but got [50, 10, 1].',
    ],
    [
      'returns a wrong number of classes',
      (logits) => logits.slice([0, 0], [-1, 9]),
      'outputs: The model fails: Expected logits of shape [50, 10] for 50 images, but got [50, 9].',
    ],
    [
      'throws for a single image',
      (logits) => (logits.shape[0] === 1 ? throwing('a batch of one') : logits),
      'independence: The model fails: a batch of one.',
    ],
  ])('%s', async (_, change, expected) => {
    const model = await failing(change);
    const before = tf.memory().numTensors;
    const examination = await examine(model);
    expect(tf.memory().numTensors).toBe(before);
    expect(examination.status).toBe('refused');
    const told = examination.findings.filter(({ code }) => code === 'model-fails');
    expect(told.map(({ name, detail }) => `${name}: ${detail}`)).toEqual([expected]);
  });

  it('but a failure beyond its range of pixels is no finding', async () => {
    const model = await failing((logits, images) =>
      tf.max(images).dataSync()[0]! > 1.5 ? throwing('too bright') : logits.neg(),
    );
    expect(findingsOf(await examine(model))).not.toContain('outputs refused');
    expect((await examine(model)).findings.map(({ code }) => code)).not.toContain('model-fails');
  });
});

/** The model with a wrong gradient for its input. */
const withGradient = (model: ClassifierModel, gradient: (dy: tf.Tensor) => tf.Tensor): ClassifierModel => {
  const input = tf.customGrad((x) => ({ value: (x as tf.Tensor).clone(), gradFunc: gradient }));
  return classifierModel((images) => model.logits(input(images)), { shape, classes: 10 });
};
const halves = (other: number): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: 784 }, (_, i) => (i % 28 < 14 ? 1 : other)),
    [1, 28, 28, 1],
  );

it.each([
  ['too long by 10 %', (dy: tf.Tensor) => dy.mul(1.1)],
  ['too short by 10 %', (dy: tf.Tensor) => dy.mul(0.9)],
  ['turned around', (dy: tf.Tensor) => dy.neg()],
  ['zero', (dy: tf.Tensor) => tf.zerosLike(dy)],
  ['zero on one half', (dy: tf.Tensor) => dy.mul(halves(0))],
  ['turned around on one half', (dy: tf.Tensor) => dy.mul(halves(-1))],
  ['not a number', (dy: tf.Tensor) => dy.div(0).sub(dy.div(0))],
])('flags a gradient that is %s', async (_, gradient) => {
  const model = withGradient(await load('base'), gradient);
  for (const seed of seeds) expect((await examine(model, mnist.labels, seed)).gradients).toBe('wrong');
});

it('says that pixels of a wider range than that of training also saturate the outputs', async () => {
  const base = await load('base');
  // As a network without biases that was trained on pixels in [0, 1] and now sees 0 to 255: the same classes, and logits 255 times as large.
  const unbiased = (x: tf.Tensor): tf.Tensor => base.logits(x.div(255)).mul(255);
  const detailOf = async (model: ReturnType<typeof classifierModel>): Promise<string> =>
    (await examine(model)).findings.find(({ name }) => name === 'saturation')!.detail;
  expect(await detailOf(classifierModel(unbiased, { shape, classes: 10, bounds: [0, 255] }))).toMatch(
    /saturated in float32.* Or the model expects smaller pixels than \[0, 255\], the `bounds` that were given/,
  );
  expect(await detailOf(await load('logits-times-20'))).not.toContain('bounds');
});

it('says that saturated outputs do not let it compare gradients', async () => {
  const base = await load('base');
  const saturated = (images: tf.Tensor): tf.Tensor => tf.softmax(base.logits(images).mul(1e6));
  const { gradients, findings } = await examine(classifierModel(saturated, { shape, classes: 10 }));
  expect(gradients).toBe('unknown');
  expect(findings.find(({ name }) => name === 'gradients')).toMatchObject({
    status: 'marked',
    code: 'gradient-not-compared',
    value: null,
  });
});

it('names the operator that has no gradient', async () => {
  const base = await load('base');
  const cut = tf.customGrad((x) => ({
    value: (x as tf.Tensor).clone(),
    gradFunc: () => {
      throw new Error("Kernel 'Invented' not registered for backend 'wasm'. Did you forget …");
    },
  }));
  const examination = await examine(classifierModel((x) => base.logits(cut(x)), { shape, classes: 10 }));
  expect(examination.gradients).toBe('missing');
  expect(examination.findings.find(({ name }) => name === 'gradients')!.detail).toMatch(
    /operator Invented has none/,
  );
});

it('leaves white-box attacks out where gradients are wrong, and no others', () => {
  const specs = [
    { attack: 'fgsm', settings: {} },
    { attack: 'square-linf', settings: {} },
    { attack: 'hop-skip-jump-l2', settings: {} },
    { attack: 'noise-l2', settings: {} },
  ] as unknown as Parameters<typeof splitByGradients>[1];
  const { run, leftOut } = splitByGradients({ gradients: 'wrong' }, specs);
  expect(run.map(({ attack }) => attack)).toEqual(['square-linf', 'hop-skip-jump-l2', 'noise-l2']);
  expect(leftOut.map(({ attack }) => attack)).toEqual(['fgsm']);
  for (const gradients of ['right', 'unknown'] as const)
    expect(splitByGradients({ gradients }, specs).leftOut).toEqual([]);
});

describe('a model that classifies most images in a wrong range of pixels', () => {
  const accuracyOf = async (name: string, bounds: readonly [number, number]) =>
    (await examine(await load(name, { bounds }))).findings.find((finding) => finding.name === 'accuracy')!;

  it('is marked, with the range in which it is clearly better', async () => {
    const { value, ...finding } = await accuracyOf('rescaling-255', [0, 25]);
    expect(value).toBe(0.6);
    expect(finding).toEqual({
      ...{
        name: 'accuracy',
        status: 'marked',
        code: 'perhaps-other-pixel-range',
        options: { bounds: [0, 255] },
      },
      detail:
        '60 % of the 50 images are classified correctly, and 98 % otherwise: does the model expect values from 0 to 255? (`bounds: [0, 255]`).',
    });
  });

  it('is marked with all ranges that fit about as well', async () => {
    const finding = await accuracyOf('minus-one-to-one', [-0.7, 1]);
    expect(finding).toMatchObject({ status: 'marked', code: 'perhaps-other-pixel-range', value: 0.72 });
    expect(finding.options).toBeUndefined();
    expect(finding.detail).toMatch(
      /`bounds` \[-1, 1\] \(98 %\), .*Accuracy does not tell which one is right/,
    );
  });

  it('is not marked for a difference that chance explains', async () => {
    expect(await accuracyOf('minus-one-to-one', [-1, 0.5])).toMatchObject({ status: 'ok', value: 0.98 });
  });
});
