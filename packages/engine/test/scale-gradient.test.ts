import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { openBackend } from '../src/backends/open-backend.ts';
import { scaleGradient } from '../src/scale-gradient.ts';

beforeAll(async () => {
  await openBackend('cpu');
});

test('forwards the identity, backwards a factor that the forward pass decides', () => {
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

test('one pass gives two players the gradients of their own losses', () => {
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
