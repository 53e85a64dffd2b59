/** DeepFool as Foolbox 1.8 writes it, one image at a time: the slow, obvious version. */
import { argMax, logitsOf, type Mlp, pullback } from './mlp.ts';

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
