/**
 * Iterative Gradient (Sign): for every step size of a grid, steps from the image without projection, and no stop at a hit; of all
 * iterates the nearest misclassified one is kept. Foolbox 1.8 `foolbox/attacks/iterative_gradient.py`.
 */
import { isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack } from '../attack.ts';
import { createNearest, outcomes } from '../hits.ts';
import { lossDirection, type Scaling } from '../losses.ts';
import { pick, positions, takeRows } from '../rows.ts';
import { gridOf } from './fgsm.ts';

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
    const nearest = createNearest(images); // by squared L2
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
        await context.yieldToEventLoop();
        const next: tf.Tensor2D = tf.tidy(() => tf.clipByValue(x.add(direction.mul(stepSizes)), 0, 1));
        tf.dispose([x, direction]);
        x = next;
        const { classes, squares } = await outcomes(model, x, origin);
        const hits = positions(rows.length, (i) => isMistake(classes[i]!, labels[rows[i]!]!));
        nearest.keep({ x, owners: rows, distances: squares }, hits);
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
      adversarials: nearest.take(),
      steps: new Int32Array(labels.length).fill(epsilons.length * settings.steps),
      queries: new Int32Array(labels.length).fill(spent),
    };
  };
