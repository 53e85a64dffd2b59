/** Foolbox 1.8's `Adversarial`: every candidate that is looked at counts, and the nearest that fools the model is the result. */
import { argMax, logitsOf, type Mlp, pullback } from './mlp.ts';

export const clip = (value: number): number => Math.min(1, Math.max(0, value));

export const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.hypot(...Array.from(a, (value, i) => value - b[i]!));

export const createAdversarial = (mlp: Mlp, image: ArrayLike<number>, label: number) => {
  let best: readonly number[] | null = null;
  return {
    best: () => best,
    /** Whether the model errs at `x`. */
    isFooledBy: (x: readonly number[]): boolean => {
      if (argMax(logitsOf(mlp, x)) === label) return false;
      if (best === null || distance(x, image) < distance(best, image)) best = x;
      return true;
    },
  };
};

/** The sign of ∂CE/∂x. */
export const gradientSign = (mlp: Mlp, x: ArrayLike<number>, label: number): number[] => {
  const z = logitsOf(mlp, x);
  const weights = z.map((value) => Math.exp(value - Math.max(...z)));
  const total = weights.reduce((a, b) => a + b);
  return pullback(
    mlp,
    x,
    weights.map((weight, k) => weight / total - (k === label ? 1 : 0)),
  ).map(Math.sign);
};
