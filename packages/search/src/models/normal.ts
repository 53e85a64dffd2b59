/** The standard normal distribution, exact in both tails. */
import type { Random } from '../random.ts';
import { erfc, erfcx } from './error-function.ts';

export const logRoot2Pi = 0.5 * Math.log(2 * Math.PI);

/** P(X ≤ x). */
export const normalCdf = (x: number): number => 0.5 * erfc(-x * Math.SQRT1_2);

/** P(a ≤ X ≤ b), to full relative accuracy also far from 0. */
export const normalMass = (a: number, b: number): number => {
  if (a > 0) return 0.5 * (erfc(a * Math.SQRT1_2) - erfc(b * Math.SQRT1_2));
  if (b < 0) return 0.5 * (erfc(-b * Math.SQRT1_2) - erfc(-a * Math.SQRT1_2));
  return 1 - 0.5 * (erfc(-a * Math.SQRT1_2) + erfc(b * Math.SQRT1_2));
};

/**
 * A draw from N(mean, deviation²), truncated to [0, 1], by rejection. `mean` lies in [0, 1], and `deviation` is at most 1, so at least a third
 * of the draws are accepted.
 */
export const drawTruncated = (mean: number, deviation: number, random: Random): number => {
  for (;;) {
    const value = mean + deviation * random.normal();
    if (value >= 0 && value <= 1) return value;
  }
};

/**
 * log E[max(0, z + X)] for a standard normal X: expected improvement in units of the deviation (Ament et al. 2023, "Unexpected improvements
 * to expected improvement", eq. 9). The result is finite and exact where the improvement itself is too small for a number.
 */
export const logImprovement = (z: number): number => {
  const logDensity = -0.5 * z * z - logRoot2Pi;
  if (z > -1) return Math.log(Math.exp(logDensity) + z * normalCdf(z));
  // The sum below tends to 1 / z² and loses its digits.
  if (z < -1e5) return logDensity - 2 * Math.log(-z);
  return logDensity + Math.log1p(Math.sqrt(Math.PI / 2) * z * erfcx(-z * Math.SQRT1_2));
};
