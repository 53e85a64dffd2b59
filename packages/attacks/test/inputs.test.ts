/** Wrong inputs are refused. The error gives the expected and the received value. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type ClassifierModel,
  classifierModel,
  diagnose,
  evaluateAttack,
  evaluateAttacks,
  examineClassifier,
  loadClassifier,
  robustnessCurve,
  worstCase,
} from '../src/index.ts';
import { linearModel, tinyImages, tinyNetwork, useWasm } from './helpers/tiny.ts';

beforeAll(useWasm);

const layers = () =>
  tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape: [2, 2, 1] }),
      tf.layers.dense({ units: 3, kernelInitializer: 'glorotNormal' }),
    ],
  });

describe('classifierModel', () => {
  it('reads shape and classes from a layers model', () => {
    expect(classifierModel(layers())).toMatchObject({ shape: [2, 2, 1], classes: 3, bounds: [0, 1] });
  });

  it.each([
    ['nothing', undefined, /but got undefined/],
    ['a model that is not awaited', Promise.resolve(), /but got Promise/],
  ])('refuses %s', (_, model, message) => {
    expect(() => classifierModel(model as never)).toThrow(message);
  });

  it('requires the shape for a function, and bounds with low < high', () => {
    expect(() => classifierModel((x) => x)).toThrow(/shape of one image/);
    expect(() => classifierModel((x) => x, { shape: [4], bounds: [1, 1] })).toThrow(/low < high/);
    expect(() => classifierModel((x) => x, { shape: [2, 2] })).toThrow(/\[batch, classes\]/);
  });
});

describe('a program without types', () => {
  const given = () => ({
    model: classifierModel(layers()),
    images: new Float32Array(8).fill(0.5),
    labels: [0, 1],
  });
  const drain = async (options: unknown): Promise<void> => {
    for await (const _ of evaluateAttacks(options as never));
  };
  /** Each function with options that are right but for these. */
  const calls: Readonly<Record<string, (wrong: object) => unknown>> = {
    evaluateAttack: (wrong) => evaluateAttack({ ...given(), attack: 'fgsm', ...wrong } as never),
    evaluateAttacks: (wrong) => drain({ ...given(), attacks: ['fgsm'], ...wrong }),
    diagnose: (wrong) => diagnose({ ...given(), ...wrong } as never),
    examineClassifier: (wrong) => examineClassifier({ ...given(), ...wrong } as never),
    classifierModel: (wrong) => classifierModel(layers(), wrong as never),
    loadClassifier: (wrong) => loadClassifier('nowhere', wrong as never),
  };
  const all = Object.keys(calls);
  const onImages = ['evaluateAttack', 'evaluateAttacks', 'diagnose'];

  it.each<[string, unknown, string, readonly string[]]>([
    ['nonsense', 1, 'Expected only the options', all],
    [
      'labels',
      5,
      'Expected labels as an array of class numbers, but got 5',
      [...onImages, 'examineClassifier'],
    ],
    ['labels', null, 'Expected labels as an array of class numbers, but got null', onImages],
    ['indices', 5, 'Expected indices as an array of whole numbers, but got 5', onImages],
    ['indices', null, 'Expected indices as an array of whole numbers, but got null', onImages],
    [
      'seed',
      '1',
      'Expected seed as a whole number of at least 0, but got the text "1"',
      [...onImages, 'examineClassifier'],
    ],
    ['batchSize', 0, 'Expected batchSize as a whole number of at least 1, but got 0', onImages],
    ['resources', null, 'Expected resources as an object, but got null', onImages],
    [
      'resources',
      { surrogates: {} },
      'Expected `resources.surrogates` as a list of models, but got Object',
      ['evaluateAttack'],
    ],
    [
      'resources',
      { encoder: 5 },
      'Expected `resources.encoder` as a function, but got 5',
      ['evaluateAttack'],
    ],
    ['signal', {}, 'Expected signal as an AbortSignal, but got Object', [...onImages, 'loadClassifier']],
    ['onProgress', 5, 'Expected onProgress as a function, but got 5', onImages],
    [
      'force',
      'yes',
      'Expected force as true or false, but got the text "yes"',
      ['evaluateAttack', 'evaluateAttacks'],
    ],
    ['force', true, 'Expected only the options', ['diagnose']],
    ['attacks', 5, "Expected a list of attacks, such as ['fgsm'], but got 5", ['evaluateAttacks']],
    [
      'attacks',
      'bim',
      'Expected a list of attacks, such as [\'bim\'], but got the text "bim"',
      ['evaluateAttacks'],
    ],
    ['dataset', 'mnits', 'Expected dataset as one of ', ['evaluateAttacks', 'diagnose']],
    ['limit', -1, 'Expected limit as a whole number of at least 1, but got -1', ['diagnose']],
    ['budgets', 0.1, 'Expected budgets as an object, but got 0.1', ['diagnose']],
    ['shape', 28, 'Expected shape as an array of numbers, but got 28', ['classifierModel', 'loadClassifier']],
    [
      'bounds',
      255,
      'Expected bounds as an array of numbers, but got 255',
      ['classifierModel', 'loadClassifier'],
    ],
    [
      'layout',
      'NCHW',
      'Expected layout as one of channels-last, channels-first, but got',
      ['classifierModel'],
    ],
    ['output', 0, 'Expected output as a text, but got 0', ['classifierModel']],
    ['headers', 'a: b', 'Expected headers as an object, but got the text "a: b"', ['loadClassifier']],
  ])('%s = %j is refused in words', async (name, value, message, functions) => {
    for (const each of functions)
      await expect((async () => calls[each]!({ [name]: value }))(), each).rejects.toMatchObject({
        name: 'AppError',
        code: 'ATTACK_INPUT',
        message: expect.stringContaining(message),
      });
  });

  it.each([undefined, null, 5, []])('options = %j are refused in words', async (options) => {
    const refused = {
      code: 'ATTACK_INPUT',
      message: expect.stringContaining('Expected options as an object'),
    };
    await expect(evaluateAttack(options as never)).rejects.toMatchObject(refused);
    await expect(drain(options)).rejects.toMatchObject(refused);
    await expect(diagnose(options as never)).rejects.toMatchObject(refused);
    await expect(examineClassifier(options as never)).rejects.toMatchObject(refused);
  });

  it.each([
    ['no list', () => worstCase(undefined as never), 'list of results of evaluateAttack, but got undefined'],
    [
      'a result that is none',
      () => worstCase([5] as never),
      'list of results of evaluateAttack, but got 5 in it',
    ],
    ['another norm', () => robustnessCurve([], 'l1' as never), 'Expected norm as one of l2, linf'],
    ['one ε', () => robustnessCurve([], 'l2', 0.1 as never), 'Expected epsilons as an array of numbers'],
  ])('statistics refuse %s in words', (_, act, message) => {
    expect(act).toThrow(
      expect.objectContaining({ code: 'ATTACK_INPUT', message: expect.stringContaining(message) }),
    );
  });
});

describe('arrays that the caller changes during an evaluation', () => {
  it('do not change its result', async () => {
    const { model, dispose } = tinyNetwork(1);
    const input = tinyImages(model, 6);
    const attack = { attack: 'pgd-linf', steps: 3 } as const;
    const indices = Array.from(input.labels, (_, i) => i);
    const run = (changed: boolean) => {
      const own = { images: input.images.slice(), labels: [...input.labels], indices: [...indices] };
      const runs = [
        evaluateAttack({ model, ...own, attack }),
        examineClassifier({ model, images: own.images, labels: own.labels }),
        diagnose({ model, ...own, limit: 2 }),
      ];
      if (changed) {
        own.images.fill(0);
        own.labels.fill(9e9);
        own.indices.fill(-1);
      }
      return Promise.all(runs);
    };
    expect(await run(true)).toEqual(await run(false));
    dispose();
  });
});

describe('evaluateAttack', () => {
  const given = { images: new Float32Array(8).fill(0.5), labels: [0, 1], attack: 'fgsm' } as const;
  const model = () => classifierModel(layers());

  // A program without types can give anything.
  it.each([
    ['no model', () => ({ model: undefined }), /classifierModel.*but got undefined/],
    ['the model of TensorFlow.js itself', () => ({ model: layers() }), /classifierModel.*but got Sequential/],
    ['no images', () => ({ images: undefined }), /Float32Array.*but got undefined/],
    ['images as nested arrays', () => ({ images: [[[[0], [1]]]] }), /Float32Array.*but got Array/],
    ['no labels', () => ({ labels: undefined }), /labels as an array.*but got undefined/],
    ['labels as a tensor', () => ({ labels: tf.tensor1d([0, 1]) }), /labels\.data\(\)/],
    ['an attack that does not exist', () => ({ attack: 'fgsn' }), /name of an attack, but got "fgsn"/],
    ['a setting that does not exist', () => ({ attack: { attack: 'fgsm', epsilom: 1 } }), /epsilom/],
    ['a preset', () => ({ attack: 'preset:quick' }), /but got "preset:quick"/],
  ])('refuses %s', async (_, wrong, message) => {
    const refused = evaluateAttack({ model: model(), ...given, ...wrong() } as never);
    await expect(refused).rejects.toMatchObject({
      code: 'ATTACK_INPUT',
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['a number of values that is no multiple', { images: new Float32Array(7) }, /multiple of 4/],
    ['pixels out of bounds', { images: new Float32Array(8).fill(255) }, /\[0, 1\], but got 255 in image 0/],
    ['pixels that are not numbers', { images: new Float32Array(8).fill(Number.NaN) }, /got NaN/],
    ['labels that are too large', { labels: [0, 3] }, /0 to 2, but got 3 for image 1/],
    ['labels that are not whole', { labels: [0, 0.5] }, /got 0.5/],
    ['too few labels', { labels: [0] }, /one label per image, but got 1 for 2/],
    ['too few indices', { indices: [1] }, /one index per image/],
    ['an unknown attack', { attack: 'fsgm' as 'fgsm' }, /fsgm/],
    ['an unknown setting', { attack: { attack: 'fgsm', epsilno: 1 } as { attack: 'fgsm' } }, /epsilno/],
    ['no surrogates for transfer', { attack: 'transfer-linf' }, /resources.surrogates/],
    ['no encoder for features', { attack: 'feature-l2' }, /resources.encoder/],
  ] as const)('refuses %s', async (_, changes, message) => {
    await expect(evaluateAttack({ model: model(), ...given, ...changes })).rejects.toThrow(message);
  });

  it('refuses images of another shape', async () => {
    const images = tf.zeros([2, 3, 3, 1]);
    await expect(evaluateAttack({ model: model(), ...given, images })).rejects.toThrow(
      /\[n, 2, 2, 1\], but got \[2, 3, 3, 1\]/,
    );
  });

  it('refuses logits that are not finite', async () => {
    const broken = classifierModel((x) => x.reshape<tf.Tensor2D>([-1, 4]).mul(Number.NaN), {
      shape: [2, 2, 1],
      classes: 4,
    });
    await expect(evaluateAttack({ model: broken, ...given })).rejects.toThrow(
      /finite logits, but got NaN for image 0/,
    );
  });

  it('refuses images without rows and columns for an attack that needs neighbours', async () => {
    const { model: flat, dispose } = linearModel(
      [
        [2, 1],
        [1, 2],
      ],
      [0, 0],
      [2],
    );
    const attack = { model: flat, images: new Float32Array([0.9, 0.1]), labels: [0] };
    await expect(evaluateAttack({ ...attack, attack: 'fgsm' })).resolves.toMatchObject({
      summary: { attempted: 1 },
    });
    await expect(evaluateAttack({ ...attack, attack: 'local-search' })).rejects.toThrow(
      /\[height, width, channels\]/,
    );
    dispose();
  });

  it('stops after an abort, and leaves no tensors behind', async () => {
    const { model: tiny, dispose } = tinyNetwork(1);
    const images = tinyImages(tiny, 4);
    const tensors = tf.memory().numTensors;
    const reason = new Error('enough');
    await expect(
      evaluateAttack({ model: tiny, ...images, attack: 'pgd-linf', signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
    expect(tf.memory().numTensors).toBe(tensors);
    dispose();
  });

  it('counts progress in attacked images', async () => {
    const { model: tiny, dispose } = tinyNetwork(1);
    const seen: unknown[] = [];
    await evaluateAttack({
      model: tiny,
      ...tinyImages(tiny, 5),
      attack: 'fgsm',
      batchSize: 2,
      onProgress: (p) => seen.push(p),
    });
    expect(seen).toEqual([2, 4, 5].map((done) => ({ done, total: 5 })));
    dispose();
  });

  it('scales images with other bounds to [0, 1] and back', async () => {
    const { model: unit, dispose } = tinyNetwork(1);
    const wide = classifierModel((x) => unit.logits(x.div(255)), {
      shape: unit.shape,
      classes: unit.classes,
      bounds: [0, 255],
    });
    const { images, labels } = tinyImages(unit, 6);
    const small = await evaluateAttack({ model: unit, images, labels, attack: 'fgsm' });
    const large = await evaluateAttack({
      model: wide,
      images: images.map((v) => v * 255),
      labels,
      attack: 'fgsm',
    });
    expect(large.summary.medianL2).toBeCloseTo(Number(small.summary.medianL2), 3);
    expect(Math.max(...large.adversarials)).toBeGreaterThan(200);
    dispose();
  });

  it('takes a tensor and does not dispose of it', async () => {
    const { model: tiny, dispose } = tinyNetwork(1);
    const { images, labels } = tinyImages(tiny, 3);
    const tensor = tf.tensor(images, [3, 8, 8, 1]);
    const { records } = await evaluateAttack({ model: tiny, images: tensor, labels, attack: 'fgsm' });
    expect(tensor.isDisposed).toBe(false);
    expect(records).toEqual((await evaluateAttack({ model: tiny, images, labels, attack: 'fgsm' })).records);
    dispose();
  });
});

describe('models that end in an activation', () => {
  const build = (): tf.Sequential =>
    tf.sequential({ layers: [tf.layers.dense({ units: 3, activation: 'softmax', inputShape: [4] })] });
  const images = Float32Array.from({ length: 20 }, (_, i) => (i % 7) / 7);
  const logitsOf = async ({ logits }: ClassifierModel) =>
    Array.from(await tf.tidy(() => logits(tf.tensor2d(images, [5, 4]))).data());

  it('a wrapper follows further training of its model, and holds no tensors', async () => {
    const model = build();
    const before = tf.memory().numTensors;
    const wrapper = classifierModel(model, { fromProbabilities: true });
    expect(tf.memory().numTensors).toBe(before);
    const old = await logitsOf(wrapper);
    const weights = [
      tf.tensor2d(
        Array.from({ length: 12 }, (_, i) => i / 3 - 2),
        [4, 3],
      ),
      tf.tensor1d([1, 2, 3]),
    ];
    model.setWeights(weights);
    const now = await logitsOf(wrapper);
    expect(now).toEqual(await logitsOf(classifierModel(model, { fromProbabilities: true })));
    expect(now).not.toEqual(old);
    tf.dispose(weights);
  });

  it('outputs outside [0, 1] are no probabilities', () => {
    const logits = tf.sequential({
      layers: [
        tf.layers.dense({
          units: 3,
          biasInitializer: tf.initializers.constant({ value: 5 }),
          inputShape: [4],
        }),
      ],
    });
    expect(() => classifierModel(logits, { fromProbabilities: true })).toThrow(
      'Expected outputs from 0 to 1, because `fromProbabilities` is given, but the model gives other values',
    );
  });
});

describe('bounds that float32 cannot hold', () => {
  it('take the pixels that were scaled to them', async () => {
    const bounds: [number, number] = [-0.4242, 2.8215];
    const model = classifierModel((x) => tf.reshape(x, [-1, 2]), { shape: [2], classes: 2, bounds });
    const pixels = Float32Array.from([...bounds, ...[...bounds].reverse()]);
    const { summary } = await evaluateAttack({
      model,
      images: pixels,
      labels: [1, 0],
      attack: { attack: 'pgd-linf', epsilon: 0.01 },
    });
    expect(summary.attempted).toBe(2);
    await expect(
      evaluateAttack({ model, images: Float32Array.of(2.83, 0), labels: [0], attack: 'pgd-linf' }),
    ).rejects.toThrow(/Expected pixels in \[-0.4242, 2.8215\], but got 2.8\d+ in image 0/);
  });
});

describe('unknown options, which JavaScript ignores', () => {
  const model = classifierModel((x) => tf.reshape(x, [-1, 2]), { shape: [2], classes: 2 });
  const given = { model, images: Float32Array.of(0, 1), labels: [1] };

  it('are refused with the way out', async () => {
    const withEpsilon = { ...given, attack: 'pgd-linf' as const, epsilon: 0.01 };
    await expect(evaluateAttack(withEpsilon)).rejects.toThrow(
      "but got epsilon: Settings of an attack stand beside its name: { attack: { attack: 'pgd-linf', epsilon: 0.1 } }",
    );
    await expect(examineClassifier({ ...given, sed: 1 } as never)).rejects.toThrow(
      'Expected only the options model, images, labels, seed, but got sed: did you mean "seed"?',
    );
    expect(() => classifierModel((x) => x, { shape: [2], bound: [0, 255] } as never)).toThrow(
      'but got bound: did you mean "bounds"?',
    );
  });
});
