/**
 * 1 − SSIM, the structural similarity of Wang et al. 2004 (eq. 13): means, variances and covariance under a Gaussian window, with C₁ = 0.01²
 * and C₂ = 0.03² for pixels in [0, 1]. The mean is over all windows inside the image, and over the channels.
 */
import * as tf from '@tensorflow/tfjs';
import type { Distance } from './distance.ts';

const [c1, c2] = [0.01 ** 2, 0.03 ** 2];
const deviation = 1.5;
const largestWindow = 11;

/** The weights of a Gaussian window of `size` pixels, whose sum is 1. Images smaller than 11 pixels have a smaller window. */
const gaussian = (size: number): Float32Array => {
  const weights = Array.from({ length: size }, (_, i) =>
    Math.exp(-((i - (size - 1) / 2) ** 2) / (2 * deviation ** 2)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Float32Array.from(weights, (weight) => weight / total);
};

const windowSize = (pixels: number): number => Math.min(largestWindow, pixels);

/** Means under the window at every place inside the images, and the transpose of that. One channel: [n, height, width, 1]. */
const windowsOf = (height: number, width: number) => {
  const [rows, columns] = [windowSize(height), windowSize(width)];
  const down = () => tf.tensor4d(gaussian(rows), [rows, 1, 1, 1]);
  const across = () => tf.tensor4d(gaussian(columns), [1, columns, 1, 1]);
  const [outHeight, outWidth] = [height - rows + 1, width - columns + 1];
  return {
    places: outHeight * outWidth,
    /** [n, height, width, 1] → [n, places down, places across, 1] */
    mean: (x: tf.Tensor4D): tf.Tensor4D => tf.conv2d(tf.conv2d(x, down(), 1, 'valid'), across(), 1, 'valid'),
    /** [n, places down, places across, 1] → [n, height, width, 1] */
    spread: (map: tf.Tensor4D): tf.Tensor4D => {
      const n = map.shape[0];
      const wide = tf.conv2dTranspose(map, across(), [n, outHeight, width, 1], 1, 'valid');
      return tf.conv2dTranspose(wide, down(), [n, height, width, 1], 1, 'valid');
    },
  };
};

/** [batch, height, width, channels] → [batch · channels, height, width, 1], and back. */
const separateChannels = (x: tf.Tensor): tf.Tensor4D => {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  return tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [batch * channels, height, width, 1]);
};
const joinChannels = (x: tf.Tensor, shape: readonly number[]): tf.Tensor => {
  const [batch, height, width, channels] = shape as [number, number, number, number];
  return tf.transpose(tf.reshape(x, [batch, channels, height, width]), [0, 2, 3, 1]);
};

/** SSIM at every place, and its derivatives with respect to the means of a, a² and a·b. */
const similarity = (
  meanA: tf.Tensor,
  meanB: tf.Tensor,
  squareA: tf.Tensor,
  squareB: tf.Tensor,
  both: tf.Tensor,
) => {
  const [squaredMeanA, squaredMeanB] = [tf.square(meanA), tf.square(meanB)];
  const luminance = tf.add(tf.mul(tf.mul(meanA, meanB), 2), c1);
  const structure = tf.add(tf.mul(tf.sub(both, tf.mul(meanA, meanB)), 2), c2);
  const luminances = tf.add(tf.add(squaredMeanA, squaredMeanB), c1);
  const variances = tf.add(tf.sub(tf.add(squareA, squareB), tf.add(squaredMeanA, squaredMeanB)), c2);
  const scale = tf.div(1, tf.mul(luminances, variances));
  const value = tf.mul(tf.mul(luminance, structure), scale);
  const toBoth = tf.mul(tf.mul(luminance, scale), 2);
  const toSquare = tf.neg(tf.div(value, variances));
  const toMean = tf.add(
    tf.mul(tf.mul(tf.mul(meanB, tf.sub(structure, luminance)), scale), 2),
    tf.mul(tf.mul(tf.mul(meanA, value), tf.sub(tf.div(1, variances), tf.div(1, luminances))), 2),
  );
  return { value, toMean, toSquare, toBoth };
};

export const ssim: Distance = (a, b) => {
  const [batch, height, width, channels] = a.shape as [number, number, number, number];
  const { mean, spread, places } = windowsOf(height, width);
  const perImage = channels * places;
  const distance = tf.customGrad((input, save) => {
    const [x, y] = [separateChannels(input as tf.Tensor), separateChannels(b)];
    const means = [x, y, tf.square(x), tf.square(y), tf.mul(x, y)].map((map) => mean(map as tf.Tensor4D));
    const [meanA, meanB, squareA, squareB, both] = means as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const { value, toMean, toSquare, toBoth } = similarity(meanA, meanB, squareA, squareB, both);
    // The gradient of the sum over all places, with respect to a.
    const slopes = [toMean, toSquare, toBoth].map((map) => spread(map as tf.Tensor4D));
    const slope = tf.add(tf.add(slopes[0]!, tf.mul(tf.mul(slopes[1]!, x), 2)), tf.mul(slopes[2]!, y));
    (save as tf.GradSaveFunc)([tf.div(joinChannels(slope, a.shape), -perImage)]);
    return {
      value: tf.sub(1, tf.div(tf.sum(tf.reshape(value, [batch, perImage]), 1), perImage)), // [batch]
      gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => tf.mul(saved!, tf.reshape(dy, [batch, 1, 1, 1])),
    };
  });
  return distance(a) as tf.Tensor1D;
};
