/**
 * Iterative Gradient (Sign): for every step size of a grid, steps from the image without projection, and no stop at a hit; of all
 * iterates the nearest misclassified one is kept. Foolbox 1.8 `foolbox/attacks/iterative_gradient.py`.
 */
import * as tf from '@tensorflow/tfjs';
import type { Attack } from '../attack.ts';
import { type Outcomes, outcomes } from '../outcomes.ts';
import { createRowStore, pick, takeRows } from '../rows.ts';
import { lossDirection, type Scaling } from './directions.ts';
import { gridOf } from './grid.ts';

/** One image walked with one step size. */
type Walk = { readonly row: number; readonly stepSize: number };

export const iterativeGradient =
  (scaling: Scaling): Attack<'iterative-gradient' | 'iterative-gradient-sign'> =>
  async (context, settings) => {
    const { model, images, labels } = context;
    const { epsilons } = gridOf({ ...settings, epsilon: settings.epsilon / settings.steps });
    const walks = Array.from(labels, (_, row) =>
      epsilons.map((stepSize): Walk => ({ row, stepSize })),
    ).flat();
    const first = lossDirection(context, images, labels, scaling);
    const nearest = new Float64Array(labels.length).fill(Number.POSITIVE_INFINITY); // squared L2
    const found = createRowStore(labels.length);
    for (let start = 0; start < walks.length; start += model.batchSize) {
      const batch = walks.slice(start, start + model.batchSize);
      const rows = Int32Array.from(batch, ({ row }) => row);
      const stepSizes = tf.tensor2d(
        batch.map(({ stepSize }) => stepSize),
        [batch.length, 1],
      );
      const origin = takeRows(images, rows);
      let x = origin.clone();
      let direction = takeRows(first, rows);
      for (let step = 1; step <= settings.steps; step++) {
        await context.breathe();
        const next: tf.Tensor2D = tf.tidy(() => tf.clipByValue(x.add(direction.mul(stepSizes)), 0, 1));
        tf.dispose([x, direction]);
        x = next;
        const { positions, targets } = nearer(
          rows,
          labels,
          nearest,
          await outcomes(context.model, x, origin),
        );
        found.put(x, positions, targets);
        direction =
          step < settings.steps
            ? lossDirection(context, x, pick(labels, rows), scaling)
            : tf.zeros([0, model.width]);
      }
      tf.dispose([x, direction, origin, stepSizes]);
    }
    first.dispose();
    const spent = 1 + epsilons.length * settings.steps;
    return {
      adversarials: found.collect(images),
      steps: new Int32Array(labels.length).fill(epsilons.length * settings.steps),
      queries: new Int32Array(labels.length).fill(spent),
    };
  };

/** Of every image the nearest new hit, where it beats the nearest so far, which it replaces. */
const nearer = (
  rows: Int32Array,
  labels: Int32Array,
  nearest: Float64Array,
  { classes, squares }: Outcomes,
) => {
  const best = new Map<number, number>();
  rows.forEach((row, position) => {
    if (classes[position] === labels[row] || squares[position]! >= nearest[row]!) return;
    nearest[row] = squares[position]!;
    best.set(row, position);
  });
  return { positions: Int32Array.from(best.values()), targets: Int32Array.from(best.keys()) };
};
