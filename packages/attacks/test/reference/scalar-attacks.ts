/** Attacks of Foolbox 1.8 for one image at a time, in plain loops. */
import { argMax, logitsOf, type Mlp, pullback } from './mlp.ts';

const clip = (value: number): number => Math.min(1, Math.max(0, value));

export const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.hypot(...Array.from(a, (value, i) => value - b[i]!));

/** Foolbox's class `Adversarial`: the result is the nearest candidate that fools the model. */
const createAdversarial = (mlp: Mlp, image: ArrayLike<number>, label: number) => {
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
const gradientSign = (mlp: Mlp, x: ArrayLike<number>, label: number): number[] => {
  const z = logitsOf(mlp, x);
  const weights = z.map((value) => Math.exp(value - Math.max(...z)));
  const total = weights.reduce((a, b) => a + b);
  return pullback(
    mlp,
    x,
    weights.map((weight, k) => weight / total - (k === label ? 1 : 0)),
  ).map(Math.sign);
};

const steps = (greatest: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => ((i + 1) / count) * greatest);

/** `GradientSignAttack(epsilons, max_epsilon)`, one ε at a time. Unlike Foolbox, a list is tried in ascending order and only once. */
export const fgsmReference = (
  mlp: Mlp,
  image: ArrayLike<number>,
  label: number,
  { epsilon, epsilons }: { readonly epsilon: number; readonly epsilons: number | readonly number[] },
): readonly number[] | null => {
  const adversarial = createAdversarial(mlp, image, label);
  const sign = gradientSign(mlp, image, label);
  const refine = typeof epsilons === 'number';
  let tried = refine ? steps(epsilon, epsilons) : epsilons.toSorted((a, b) => a - b);
  for (let pass = 0; pass < (refine ? 2 : 1); pass++) {
    let reached = 0;
    for (const [i, size] of tried.entries()) {
      reached = i;
      if (!adversarial.isFooledBy(Array.from(image, (value, j) => clip(value + size * sign[j]!)))) continue;
      if (refine && i < 20) break;
      return adversarial.best();
    }
    tried = steps(tried[reached]!, 20);
  }
  return adversarial.best();
};

type Settings = {
  readonly search: boolean;
  readonly epsilon: number;
  readonly stepSize: number;
  readonly steps: number;
};

/** `LinfinityBasicIterativeAttack(binary_search, epsilon, stepsize, iterations)`. */
export const bimReference = (
  mlp: Mlp,
  image: ArrayLike<number>,
  label: number,
  { search, epsilon, stepSize, steps }: Settings,
): readonly number[] | null => {
  const adversarial = createAdversarial(mlp, image, label);
  const run = (radius: number): boolean => {
    let x = Array.from(image);
    for (let step = 0; step < steps; step++) {
      const sign = gradientSign(mlp, x, label);
      x = x.map((value, i) => {
        const moved = value + (stepSize / epsilon) * radius * sign[i]! - image[i]!;
        return clip(image[i]! + Math.min(radius, Math.max(-radius, moved)));
      });
      if (adversarial.isFooledBy(x)) return true;
    }
    return false;
  };
  if (!search) {
    run(epsilon);
    return adversarial.best();
  }
  let good = epsilon;
  let tries = 0;
  while (!run(good)) {
    if (++tries === 20) return adversarial.best();
    good *= 1.5;
  }
  let bad = 0;
  for (let bisection = 0; bisection < 20; bisection++) {
    const middle = (good + bad) / 2;
    if (run(middle)) good = middle;
    else bad = middle;
  }
  return adversarial.best();
};

/** `DeepFoolL2Attack` and `DeepFoolLinfinityAttack`. */
export const deepfoolReference = (
  mlp: Mlp,
  image: ArrayLike<number>,
  label: number,
  norm: 'l2' | 'linf',
  steps: number,
) => {
  let x = Array.from(image);
  for (let step = 0; step <= steps; step++) {
    const z = logitsOf(mlp, x);
    if (argMax(z) !== label) return { x, steps: step, success: true };
    if (step === steps) break;
    let nearest = Number.POSITIVE_INFINITY;
    let move: number[] = x.map(() => 0);
    for (let k = 0; k < mlp.classes; k++) {
      const f = z[k]! - z[label]!;
      if (f >= 0) continue;
      const w = pullback(
        mlp,
        x,
        z.map((_, j) => (j === k ? 1 : j === label ? -1 : 0)),
      );
      const size = (norm === 'l2' ? Math.hypot(...w) : w.reduce((sum, v) => sum + Math.abs(v), 0)) + 1e-8;
      const distance = Math.abs(f) / size;
      if (distance >= nearest) continue;
      nearest = distance;
      move = norm === 'l2' ? w.map((v) => (distance / size) * v) : w.map((v) => distance * Math.sign(v));
    }
    x = x.map((value, i) => Math.min(1, Math.max(0, value + 1.05 * move[i]!)));
  }
  return { x, steps, success: false };
};

/** `SinglePixelAttack`: every pixel and value that fools the model. The attack finds one of them; its random order decides which. */
export const singlePixelReference = (
  mlp: Mlp,
  image: ArrayLike<number>,
  label: number,
): { readonly pixel: number; readonly value: number }[] =>
  Array.from(image)
    .flatMap((_, pixel) => [0, 1].map((value) => ({ pixel, value })))
    .filter(({ pixel, value }) => {
      const x = Array.from(image);
      x[pixel] = value;
      return argMax(logitsOf(mlp, x)) !== label;
    });
