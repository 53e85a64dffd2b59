/** Every pixel at 0 and at 1, as `SinglePixelAttack(max_pixels=1000)` of Foolbox 1.8 tries them on an image of fewer pixels. */
import { argMax, logitsOf, type Mlp } from './mlp.ts';

/** The pixels and values that fool the model: which of them the attack meets first depends on its random order alone. */
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
