/** Square Attack in L∞: vertical stripes of ±ε, then squares that move by ±2ε inside the ball (Andriushchenko et al. 2020, §3.3). */
import type { Proposals } from './proposals.ts';

const sign = (uniform: number): 1 | -1 => (uniform < 0.5 ? -1 : 1);

/** To the ball around `pixel`, then to the range. */
const limit = (value: number, pixel: number, epsilon: number): number =>
  Math.min(1, Math.max(0, Math.min(pixel + epsilon, Math.max(pixel - epsilon, value))));

export const startStripes: Proposals['start'] = (to, image, { height, width, channels }, epsilon, random) => {
  for (let x = 0; x < width; x++)
    for (let channel = 0; channel < channels; channel++) {
      const change = epsilon * sign(random.uniform());
      for (let y = 0; y < height; y++) {
        const at = (y * width + x) * channels + channel;
        to[at] = limit(image[at]! + change, image[at]!, epsilon);
      }
    }
};

export const proposeSquare: Proposals['propose'] = (
  to,
  image,
  best,
  { height, width, channels, pixels },
  epsilon,
  area,
  random,
) => {
  to.set(best);
  const side = Math.min(Math.max(Math.round(Math.sqrt(area * pixels)), 1), height, width);
  const top = random.integer(height - side + 1);
  const left = random.integer(width - side + 1);
  for (let channel = 0; channel < channels; channel++) {
    const change = 2 * epsilon * sign(random.uniform());
    for (let y = top; y < top + side; y++)
      for (let x = left; x < left + side; x++) {
        const at = (y * width + x) * channels + channel;
        to[at] = limit(best[at]! + change, image[at]!, epsilon);
      }
  }
};
