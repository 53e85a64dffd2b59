/** Models whose logits or gradients are NaN in some places. Plain loops compute the true class of an image. */
import {
  type AttackInput,
  type AttackName,
  attackNames,
  attackSpec,
  ballOf,
  noClass,
  reachOf,
} from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ClassifierModel, classifierModel, evaluateAttack } from '../src/index.ts';
import { createRandom } from '../src/random.ts';
import { shortAttacks } from './helpers/short-attacks.ts';
import { useWasm } from './helpers/tiny.ts';
import { argMax, logitsOf, type Mlp } from './reference/mlp.ts';

const side = 8;
const width = side * side;
const [hidden, classes] = [12, 5];

/** Random weights, centred on grey, where the classes meet. */
const network = ((): Mlp => {
  const { normal } = createRandom(5, 'not a number');
  const draw = (count: number, scale: number) => Float32Array.from({ length: count }, () => scale * normal());
  const w1 = draw(width * hidden, 0.3);
  const b1 = draw(hidden, 0.3).map(
    (value, j) =>
      value - 0.5 * Array.from({ length: width }, (_, i) => w1[i * hidden + j]!).reduce((a, b) => a + b),
  );
  return { inputs: width, hidden, classes, w1, b1, w2: draw(hidden * classes, 0.6), b2: draw(classes, 0.1) };
})();

/** The weights are made once per backend. */
const onDevice = () => {
  const [w1, b1] = [
    tf.tensor2d(network.w1 as Float32Array, [width, hidden]),
    tf.tensor1d(network.b1 as Float32Array),
  ];
  const [w2, b2] = [
    tf.tensor2d(network.w2 as Float32Array, [hidden, classes]),
    tf.tensor1d(network.b2 as Float32Array),
  ];
  const encoder = (x: tf.Tensor) => tf.relu(tf.matMul(x.reshape<tf.Tensor2D>([-1, width]), w1).add(b1));
  return { encoder, logits: (x: tf.Tensor): tf.Tensor2D => tf.matMul(encoder(x) as tf.Tensor2D, w2).add(b2) };
};

/** z_k − max over j ≠ k of z_j: above 0 where k is the class of the row. `[n, 1]`. */
const lead = (z: tf.Tensor2D, k: number): tf.Tensor2D => {
  const own = tf.oneHot(tf.tensor1d([k], 'int32'), classes).toFloat() as tf.Tensor2D;
  return tf.sum(z.mul(own), 1, true).sub(tf.max(z.sub(own.mul(1e9)), 1, true)) as tf.Tensor2D;
};

type Case = {
  /** Added to every logit: 0, or NaN, or 0 with a gradient of NaN. */
  readonly term: (z: tf.Tensor2D) => tf.Tensor;
  /** Classes for which the model answers NaN. */
  readonly silent: readonly number[];
  /** Labels of the images. */
  readonly labels: readonly number[];
};

/** NaN for class 2. For class 1 the answers are numbers, but their gradient is 0 / 0. */
const mixed: Case = {
  term: (z) => tf.add(tf.sqrt(tf.neg(lead(z, 2))).mul(0), tf.sqrt(tf.relu(tf.neg(lead(z, 1)))).mul(0)),
  silent: [2],
  labels: [0, 1, 3, 4],
};

/** NaN for every class but 3: no image of class 3 can be misclassified. */
const onlyThree: Case = {
  term: (z) => tf.sqrt(lead(z, 3)).mul(0),
  silent: [0, 1, 2, 4],
  labels: [3],
};

/** Seeded images that plain loops classify as `labels`, in turn, by a clear gap. */
const imagesOf = (labels: readonly number[]): readonly Float32Array[] => {
  const { uniform } = createRandom(6, 'images');
  return Array.from({ length: 4 }, (_, i) => {
    for (;;) {
      const row = Float32Array.from({ length: width }, () => 0.25 + 0.5 * uniform());
      if (argMax(logitsOf(network, row)) === labels[i % labels.length] && gapOf(row) > 0.05) return row;
    }
  });
};

const gapOf = (x: ArrayLike<number>): number => {
  const [first, second] = logitsOf(network, x).sort((a, b) => b - a);
  return first! - second!;
};

/** The gap is so large that the rounding of float32 does not change the class. */
const isDecisive = (x: ArrayLike<number>): boolean => gapOf(x) > 1e-3;
const truthOf = (x: ArrayLike<number>, { silent }: Case): number => {
  const k = argMax(logitsOf(network, x));
  return silent.includes(k) ? noClass : k;
};

/** The model of a case, and every image that passed through it. */
const watched = ({ term }: Case) => {
  const { encoder, logits } = onDevice();
  const asked: Float32Array[] = [];
  const answer = (x: tf.Tensor): tf.Tensor2D => {
    const z = logits(x);
    return z.add(term(z));
  };
  const watching = (x: tf.Tensor): tf.Tensor2D => {
    const values = x.dataSync<'float32'>();
    for (let at = 0; at < values.length; at += width) asked.push(values.slice(at, at + width));
    return answer(x);
  };
  const as = (f: ClassifierModel['logits']) => classifierModel(f, { shape: [side, side, 1], classes });
  // On the first surrogate, which has the same NaNs, an attack may not move at all. It must then try the second surrogate.
  return { model: as(watching), resources: { encoder, surrogates: [as(answer), as(logits)] }, asked };
};

const join = (rows: readonly Float32Array[]): Float32Array =>
  Float32Array.from(rows.flatMap((row) => [...row]));

const inside = (x: Float32Array, image: Float32Array, attack: AttackInput): boolean => {
  if (!x.every((value) => value >= 0 && value <= 1)) return false;
  const ball = ballOf(attackSpec(attack));
  if (ball === undefined) return true;
  const delta = [...x].map((value, i) => Math.abs(value - image[i]!));
  return (ball.norm === 'l2' ? Math.hypot(...delta) : Math.max(...delta)) <= reachOf(ball.epsilon);
};

/** Fewer steps for attacks that do not need all of them here. */
const fewer: Partial<Record<AttackName, { readonly steps: number }>> = {
  'deepfool-l2': { steps: 6 },
  'deepfool-linf': { steps: 6 },
  'apgd-t-linf': { steps: 8 },
  'apgd-t-l2': { steps: 8 },
  'fab-t-linf': { steps: 4 },
  'fab-t-l2': { steps: 4 },
  'fmn-l2': { steps: 15 },
  'fmn-linf': { steps: 15 },
  'local-search': { steps: 4 },
};

describe.each(['wasm', 'cpu'] as const)('on %s', (backend) => {
  beforeAll(async () => {
    if (backend === 'wasm') await useWasm();
    else await tf.setBackend('cpu');
  });

  describe.each(attackNames)('%s', (name) => {
    const attack = { ...shortAttacks[name], ...fewer[name] } as AttackInput; // the same attack

    it('never counts a NaN as a hit', async () => {
      const images = imagesOf(onlyThree.labels);
      const { model, resources, asked } = watched(onlyThree);
      const given = { model, resources, images: join(images), labels: [3, 3, 3, 3], seed: 7 };
      const { records, summary, adversarials } = await evaluateAttack({ ...given, attack });
      expect(asked.some((x) => truthOf(x, onlyThree) === noClass)).toBe(true);
      expect(records.success).toEqual([false, false, false, false]);
      expect(records.predicted).toEqual([3, 3, 3, 3]);
      expect(records.l2).toEqual([null, null, null, null]);
      expect(summary).toMatchObject({ cleanAccuracy: 1, successRate: 0, medianL2: 'Infinity' });
      expect(adversarials).toEqual(given.images);
    });

    it('keeps the hits that it finds, and the NaNs of one image do not change another', async () => {
      const images = imagesOf(mixed.labels);
      const labels = images.map((image) => truthOf(image, mixed));
      let met = 0;
      for (const [i, image] of images.entries()) {
        const { model, resources, asked } = watched(mixed);
        const one = { model, resources, images: image, labels: [labels[i]!], indices: [i], seed: 7 };
        const { records, adversarials } = await evaluateAttack({ ...one, attack });
        const isHit = (x: Float32Array) => ![noClass, labels[i]].includes(truthOf(x, mixed));
        if (asked.some((x) => inside(x, image, attack) && isDecisive(x) && isHit(x))) {
          met++;
          expect(records.success).toEqual([true]);
        }
        if (records.success[0] && isDecisive(adversarials)) expect(isHit(adversarials)).toBe(true);
        expect(records.predicted[0]).not.toBe(2);
      }
      expect(met).toBeGreaterThan(0);
      const { model, resources } = watched(mixed);
      const given = { model, resources, images: join(images), labels, attack, seed: 7 };
      const together = await evaluateAttack(given);
      const alone = await evaluateAttack({ ...given, batchSize: 1 });
      expect(together.records).toEqual(alone.records);
      expect(together.adversarials).toEqual(alone.adversarials);
    });
  });
});

describe('an infinite logit', () => {
  beforeAll(useWasm);

  /** One pixel. Class 0 up to ½; beyond it the logits are `beyond`. */
  const step = (beyond: readonly number[]) =>
    classifierModel(
      (images) => {
        const x = images.reshape<tf.Tensor2D>([-1, 1]);
        const near = tf.concat([tf.sub(0.5, x), tf.sub(x, 0.5), tf.zerosLike(x).sub(1)], 1);
        const far = tf.tensor2d([...beyond], [1, 3]).tile([x.shape[0], 1]);
        return tf.where(tf.greater(x, 0.5).tile([1, 3]), far, near) as tf.Tensor2D;
      },
      { shape: [1, 1, 1], classes: 3 },
    );
  const inf = Number.POSITIVE_INFINITY;

  it.each([
    ['a class where it stands alone', [1, 2, inf], [2]],
    ['no class beside another', [1, inf, inf], [0]],
    ['no class where all are −∞', [-inf, -inf, -inf], [0]],
  ] as const)('is %s', async (_, beyond, predicted) => {
    for (const attack of ['single-pixel', { attack: 'noise-linf', epsilon: 0.5, draws: 50 }] as const) {
      const given = { model: step(beyond), images: Float32Array.of(0.25), labels: [0] };
      const { records } = await evaluateAttack({ ...given, attack });
      expect(records.predicted).toEqual(predicted);
      expect(records.success).toEqual([predicted[0] !== 0]);
    }
  });
});

describe('the number of answers without a class', () => {
  beforeAll(useWasm);

  /** Four pixels. Class 0 everywhere; the logits are NaN where the first pixel is above one half. */
  const model = classifierModel(
    (x) => {
      const first = tf.slice(x.reshape<tf.Tensor2D>([-1, 4]), [0, 0], [-1, 1]);
      const nan = tf.sqrt(tf.sub(0.5, first)).mul(0); // NaN below 0
      return tf.concat([nan.add(3), nan.add(first.mul(0.1))], 1) as tf.Tensor2D;
    },
    { shape: [2, 2, 1], classes: 2 },
  );
  const given = { model, images: new Float32Array(12), labels: [0, 0, 0] };

  it('counts each answer to single-pixel, whose change of the first pixel to 1 is one of them', async () => {
    const { summary } = await evaluateAttack({ ...given, attack: 'single-pixel' });
    expect(summary).toMatchObject({ attempted: 3, successes: 0, invalidAnswers: 3 });
  });

  it('counts the answer to the only candidate of FGSM', async () => {
    const attack = { attack: 'fgsm', search: false, epsilon: 0.6 } as const;
    expect((await evaluateAttack({ ...given, attack })).summary.invalidAnswers).toBe(3);
  });

  it('counts answers of passes with a gradient', async () => {
    // The gradient is positive at the first pixel: PGD asks at 0, at 0.3, and at 0.6, where the logits are NaN.
    const attack = { attack: 'pgd-linf', epsilon: 0.6, stepSize: 0.3, steps: 2, randomStart: false } as const;
    const { summary, records } = await evaluateAttack({ ...given, attack });
    expect(records.queries).toEqual([3, 3, 3]);
    expect(summary.invalidAnswers).toBe(3);
  });

  it('counts every query of a search by scores, in any size of batch', async () => {
    const attack = { attack: 'square-linf', epsilon: 1, queries: 20, area: 1 } as const;
    const { summary } = await evaluateAttack({ ...given, attack, seed: 3 });
    expect(summary.invalidAnswers).toBeGreaterThan(0);
    expect(summary.invalidAnswers).toBeLessThanOrEqual(3 * 20);
    const alone = await evaluateAttack({ ...given, attack, seed: 3, batchSize: 1 });
    expect(alone.summary).toEqual(summary);
  });

  it('is absent where every answer has a class, and leaves no tensor behind', async () => {
    const before = tf.memory().numTensors;
    const attack = { attack: 'pgd-linf', epsilon: 0.4 } as const;
    expect((await evaluateAttack({ ...given, attack })).summary).not.toHaveProperty('invalidAnswers');
    await evaluateAttack({ ...given, attack: 'single-pixel' });
    expect(tf.memory().numTensors).toBe(before);
  });
});
