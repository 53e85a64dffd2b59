/**
 * Batch normalisation (Ioffe & Szegedy 2015, algorithms 1 and 2): y = γ·(x − μ)/√(σ² + ε) + β, over all axes but the last. While an optimiser
 * descends γ and β, μ and σ² are those of the batch, and the running statistics follow them. At any other time μ and σ² are the running
 * statistics. So a part that a stage does not train stays as it is, to the bit.
 */
import * as tf from '@tensorflow/tfjs';

/** ε, and the share of the old running statistics that an update keeps, as in PyTorch. */
export const normalisationEpsilon = 1e-5;
export const normalisationMomentum = 0.9;

/** The weights that an optimiser descends at the moment. tfjs runs one forward pass at a time, so one set suffices. */
let descended: ReadonlySet<tf.Tensor> = new Set();

/** Runs a forward pass of training, in which the normalisations with these weights use the statistics of the batch. */
export const whileDescending = <T>(weights: readonly tf.Tensor[], forward: () => T): T => {
  const before = descended;
  descended = new Set(weights);
  try {
    return forward();
  } finally {
    descended = before;
  }
};

/** Σ over rows: [rows, channels] → [1, channels], as a product with ones. For a sum tfjs-wasm would transpose the whole tensor. */
const sumRows = (x: tf.Tensor2D): tf.Tensor2D => tf.matMul(tf.ones([1, x.shape[0]]), x);

const asRows = (x: tf.Tensor): tf.Tensor2D => tf.reshape(x, [x.size / x.shape.at(-1)!, x.shape.at(-1)!]);

/** x [rows, channels] → mean and biased variance of each channel, [1, channels]. */
const statisticsOf = (x: tf.Tensor2D) => {
  const mean = tf.div<tf.Tensor2D>(sumRows(x), x.shape[0]);
  const variance = tf.div<tf.Tensor2D>(sumRows(tf.square(tf.sub(x, mean))), x.shape[0]);
  return { mean, variance };
};

const follow = (running: tf.Variable, batch: tf.Tensor): void =>
  running.assign(
    tf.add(
      tf.mul(running, normalisationMomentum),
      tf.mul(tf.reshape(batch, running.shape), 1 - normalisationMomentum),
    ),
  );

/** With the statistics of the batch, which depend on x. */
const normaliseBatch = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, running: readonly tf.Variable[]) => {
  const normalise = tf.customGrad((input, scale, shift, save) => {
    const rows = asRows(input as tf.Tensor);
    const count = rows.shape[0];
    const { mean, variance } = statisticsOf(rows);
    follow(running[0]!, mean);
    follow(running[1]!, variance);
    const factor = tf.rsqrt(tf.add(variance, normalisationEpsilon)); // [1, channels]
    const normal = tf.mul<tf.Tensor2D>(tf.sub(rows, mean), factor); // [rows, channels]
    (save as tf.GradSaveFunc)([normal, factor, scale as tf.Tensor]);
    return {
      value: tf.reshape(tf.add(tf.mul(normal, scale as tf.Tensor), shift as tf.Tensor), x.shape),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [normal, factor, scale] = saved as [tf.Tensor2D, tf.Tensor, tf.Tensor];
        const gradient = asRows(dy);
        const toShift = sumRows(gradient); // [1, channels]
        const toScale = sumRows(tf.mul(gradient, normal)); // [1, channels]
        // dx = γ/√(σ² + ε) · (dy − mean(dy) − x̂·mean(dy·x̂))
        const part = tf.div(tf.add(toShift, tf.mul(normal, toScale)), count);
        const toInput = tf.mul(tf.sub(gradient, part), tf.mul(factor, scale));
        return [
          tf.reshape(toInput, x.shape),
          tf.reshape(toScale, scale.shape),
          tf.reshape(toShift, scale.shape),
        ];
      },
    };
  });
  return normalise(x, gamma, beta);
};

/** With the running statistics, which are constant. */
const normaliseRunning = (
  x: tf.Tensor,
  gamma: tf.Tensor,
  beta: tf.Tensor,
  [mean, variance]: readonly tf.Variable[],
): tf.Tensor => {
  const factor = tf.mul(gamma, tf.rsqrt(tf.add(variance!, normalisationEpsilon))); // [channels]
  return tf.add(tf.mul(x, factor), tf.sub(beta, tf.mul(mean!, factor)));
};

/** x [batch, …, channels] → the same. `weights`: γ, β, running mean and running variance, [channels] each. */
export const normalise = (x: tf.Tensor, weights: readonly tf.Variable[]): tf.Tensor => {
  const [gamma, beta, ...running] = weights as [tf.Variable, tf.Variable, ...tf.Variable[]];
  return descended.has(gamma)
    ? normaliseBatch(x, gamma, beta, running)
    : normaliseRunning(x, gamma, beta, running);
};
