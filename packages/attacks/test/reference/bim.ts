/** `LinfinityBasicIterativeAttack(binary_search, epsilon, stepsize, iterations)` of Foolbox 1.8, one image at a time. */
import { clip, createAdversarial, gradientSign } from './driver.ts';
import type { Mlp } from './mlp.ts';

type Settings = {
  readonly search: boolean;
  readonly epsilon: number;
  readonly stepSize: number;
  readonly steps: number;
};

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
