/** A perceptron trained on PGD examples in seconds. The diagnostics must not flag it as masked. */
import * as tf from '@tensorflow/tfjs';
import { type ClassifierModel, classifierModel } from '../../src/index.ts';
import { createRandom } from '../../src/random.ts';

type Options = {
  readonly epsilon: number;
  readonly hidden: number;
  readonly updates: number;
  readonly batch: number;
};

/** Adam on cross-entropy at x + δ, δ from 3 steps of PGD in L∞ (Madry et al. 2018). `images`: `[n, 784]` values in [0, 1]. */
export const trainAdversarially = (
  images: Float32Array,
  labels: Int32Array,
  { epsilon, hidden, updates, batch }: Options,
): { readonly model: ClassifierModel; readonly dispose: () => void } => {
  const random = createRandom(1, 'adversarial training');
  const matrix = (rows: number, columns: number) =>
    tf.variable(
      tf.tensor2d(
        Float32Array.from({ length: rows * columns }, () => random.normal() / Math.sqrt(rows)),
        [rows, columns],
      ),
    );
  const [w1, w2] = [matrix(784, hidden), matrix(hidden, 10)];
  const [b1, b2] = [tf.variable(tf.zeros([hidden])), tf.variable(tf.zeros([10]))];
  const logits = (x: tf.Tensor): tf.Tensor2D =>
    tf
      .relu(tf.matMul(x.reshape<tf.Tensor2D>([-1, 784]), w1).add(b1))
      .matMul(w2)
      .add(b2);
  const optimizer = tf.train.adam(2e-3);
  for (let update = 0; update < updates; update++)
    tf.tidy(() => {
      const rows = Int32Array.from({ length: batch }, () => random.integer(labels.length));
      const clean = tf.tensor2d(
        Float32Array.from(
          { length: batch * 784 },
          (_, i) => images[rows[Math.floor(i / 784)]! * 784 + (i % 784)]!,
        ),
        [batch, 784],
      );
      const truth = tf
        .oneHot(
          tf.tensor1d(
            rows.map((row) => labels[row]!),
            'int32',
          ),
          10,
        )
        .toFloat();
      const loss = (x: tf.Tensor) => tf.losses.softmaxCrossEntropy(truth, logits(x)).asScalar();
      let x: tf.Tensor = clean;
      for (let step = 0; step < 3; step++) {
        const slope = tf.grad((input) => loss(input))(x);
        const up = tf.greater(slope, 0).toFloat().sub(tf.less(slope, 0).toFloat());
        const moved = x.add(up.mul(epsilon / 2)).sub(clean);
        x = clean.add(tf.clipByValue(moved, -epsilon, epsilon)).clipByValue(0, 1);
      }
      optimizer.minimize(() => loss(x));
    });
  return {
    model: classifierModel(logits, { shape: [28, 28, 1], classes: 10 }),
    dispose: () => {
      tf.dispose([w1, w2, b1, b2]);
      optimizer.dispose();
    },
  };
};
