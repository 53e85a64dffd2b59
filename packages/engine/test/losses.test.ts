import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../src/backends/open-backend.ts';
import { divergence, scaleGradient, softmaxCrossEntropy } from '../src/losses.ts';

beforeAll(async () => {
  await openBackend('cpu');
});

describe('softmaxCrossEntropy', () => {
  const logits = () => tf.tensor2d([1, -2, 0.5, 3, 0, 0], [2, 3]);
  const oneHot = () => tf.tensor2d([0, 1, 0, 1, 0, 0], [2, 3]);

  it('is −log of the softmax, averaged', () => {
    const closed = [
      [1, -2, 0.5, -2],
      [3, 0, 0, 3],
    ].map(([p, q, r, y]) => Math.log(Math.exp(p!) + Math.exp(q!) + Math.exp(r!)) - y!);
    expect(softmaxCrossEntropy(logits(), oneHot()).dataSync()[0]).toBeCloseTo(
      (closed[0]! + closed[1]!) / 2,
      6,
    );
  });

  it('has the gradient that tfjs computes', () => {
    const ours = tf
      .grad((z: tf.Tensor) => softmaxCrossEntropy(z as tf.Tensor2D, oneHot()))(logits())
      .dataSync();
    const theirs = tf
      .grad((z: tf.Tensor) => tf.losses.softmaxCrossEntropy(oneHot(), z) as tf.Scalar)(logits())
      .dataSync();
    for (let i = 0; i < 6; i++) expect(ours[i]).toBeCloseTo(theirs[i]!, 6);
  });

  it('has a gradient where a clipped softmax has none', () => {
    const sure = tf.tensor2d([30, 0], [1, 2]);
    const gradient = tf.grad((z: tf.Tensor) =>
      softmaxCrossEntropy(z as tf.Tensor2D, tf.tensor2d([1, 0], [1, 2])),
    )(sure);
    expect(gradient.dataSync()[1]).toBeCloseTo(Math.exp(-30), 15);
    expect(gradient.dataSync()[1]).toBeGreaterThan(0);
  });
});

describe('divergence', () => {
  const logits = { a: [1, -2, 0.5, 3, 0, 0], b: [0.5, 1, -1, -20, 40, 2] } as const;
  /** KL(softmax(a) ‖ softmax(b)) in double precision, mean over the rows of three. */
  const plain = (a: readonly number[], b: readonly number[]): number => {
    const logSoftmax = (z: readonly number[]): number[] => {
      const max = Math.max(...z);
      const total = Math.log(z.reduce((sum, value) => sum + Math.exp(value - max), 0)) + max;
      return z.map((value) => value - total);
    };
    const rows = [0, 3].map((from) => {
      const [p, q] = [logSoftmax(a.slice(from, from + 3)), logSoftmax(b.slice(from, from + 3))];
      return p.reduce((sum, value, k) => sum + Math.exp(value) * (value - q[k]!), 0);
    });
    return (rows[0]! + rows[1]!) / 2;
  };
  const tensor = (values: readonly number[]) => tf.tensor2d([...values], [2, 3]);

  it('agrees with a plain computation, also where softmax underflows, and is 0 for equal logits', () => {
    const measured = divergence(tensor(logits.a), tensor(logits.b)).dataSync()[0]!;
    expect(measured / plain(logits.a, logits.b)).toBeCloseTo(1, 5);
    expect(divergence(tensor(logits.a), tensor(logits.a)).dataSync()[0]).toBe(0);
  });

  it('has gradients that agree with finite differences in both arguments', () => {
    const [atA, atB] = tf.grads((a: tf.Tensor, b: tf.Tensor) =>
      tf.mul(divergence(a as tf.Tensor2D, b as tf.Tensor2D), 3),
    )([tensor(logits.a), tensor(logits.b)]);
    const shifted = (values: readonly number[], i: number, h: number) =>
      values.map((value, k) => (k === i ? value + h : value));
    for (let i = 0; i < 6; i++) {
      const [h, { a, b }] = [1e-5, logits];
      const slopeA = (plain(shifted(a, i, h), b) - plain(shifted(a, i, -h), b)) / (2 * h);
      const slopeB = (plain(a, shifted(b, i, h)) - plain(a, shifted(b, i, -h))) / (2 * h);
      expect(atA!.dataSync()[i]).toBeCloseTo(3 * slopeA, 4);
      expect(atB!.dataSync()[i]).toBeCloseTo(3 * slopeB, 4);
    }
  });
});

describe('scaleGradient', () => {
  it('is the identity in the forward pass, and multiplies the gradient by a factor that this pass computes', () => {
    const x = tf.tensor1d([1, 2, 3]);
    let loss = tf.scalar(0);
    const f = (input: tf.Tensor) => {
      loss = scaleGradient(input.square(), () => loss.less(100).toFloat().mul(-5)).sum();
      return loss;
    };
    const { value, grad } = tf.valueAndGrad(f)(x);
    expect(value.dataSync()[0]).toBe(14);
    expect([...grad.dataSync()]).toEqual([-10, -20, -30]);
  });

  it('gives two players the gradients of their own losses in one pass', () => {
    // Att(a) = a·x, Def(d, y) = d·y, L = (Def(Att) − x)²; the attacker descends (Att − x)² + γ·max(β − L, 0).
    const [x, gamma, beta] = [2, 5, 10];
    const [a, d] = [tf.variable(tf.scalar(0.7)), tf.variable(tf.scalar(1.3))];
    const { grads } = tf.variableGrads(() => {
      let active = tf.scalar(0);
      const attacked = a.mul<tf.Scalar>(x);
      const rebuilt = d.mul<tf.Scalar>(scaleGradient(attacked, () => active));
      const L = rebuilt.sub<tf.Scalar>(x).square<tf.Scalar>();
      active = tf.keep(L.less(beta).toFloat().mul<tf.Scalar>(-gamma));
      return L.add<tf.Scalar>(attacked.sub(x).square());
    });
    const [av, dv] = [0.7, 1.3];
    const slopeL = 2 * (dv * av * x - x); // dL/dDef
    expect(grads[d.name]!.dataSync()[0]).toBeCloseTo(slopeL * av * x, 5);
    expect(grads[a.name]!.dataSync()[0]).toBeCloseTo(2 * (av * x - x) * x - gamma * slopeL * dv * x, 4);
  });
});
