/** `GradientSignAttack(epsilons, max_epsilon)` of Foolbox 1.8, one image and one ε at a time. */
import { clip, createAdversarial, gradientSign } from './driver.ts';
import type { Mlp } from './mlp.ts';

const steps = (greatest: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => ((i + 1) / count) * greatest);

export const fgsmReference = (
  mlp: Mlp,
  image: ArrayLike<number>,
  label: number,
  { epsilon, epsilons }: { readonly epsilon: number; readonly epsilons: number | readonly number[] },
): readonly number[] | null => {
  const adversarial = createAdversarial(mlp, image, label);
  const sign = gradientSign(mlp, image, label);
  const refine = typeof epsilons === 'number';
  let tried = refine ? steps(epsilon, epsilons) : epsilons;
  for (let pass = 0; pass < 2; pass++) {
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
