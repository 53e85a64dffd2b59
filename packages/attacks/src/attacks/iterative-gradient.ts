/**
 * Iterative Gradient Sign and Iterative Gradient, with the semantics of Foolbox 1.8 (`foolbox/attacks/iterative_gradient.py`). For every
 * step size of a grid the attack takes `steps` steps from the image, x ← clip(x + a·direction(∇L)), L the cross-entropy. It neither
 * projects nor stops at a hit; it keeps the nearest hit (L2) over all iterates.
 *
 * Norm: L∞ (`sign`) or L2 (`rms`). Images: rows of [batch, 28, 28, 1] in [0, 1].
 * Cost per image with E step sizes: E·steps forward passes and 1 + E·(steps − 1) gradients; all images share the passes.
 * `queries` counts the forward passes and the first gradient.
 */
import { isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack } from '../attack.ts';
import { indicesWhere, takeRows, valuesAt } from '../batch-rows.ts';
import { classesAndDistances, createNearestHits } from '../hits.ts';
import { lossDirection, type Scaling } from '../losses.ts';
import { epsilonGrid } from './fgsm.ts';

/** The iterates of one image with one step size. */
type Walk = { readonly row: number; readonly stepSize: number };

export const iterativeGradient =
  (scaling: Scaling): Attack<'iterative-gradient' | 'iterative-gradient-sign'> =>
  async (context, settings) => {
    const { model, images, labels, own } = context;
    const { epsilons } = epsilonGrid({ ...settings, epsilon: settings.epsilon / settings.steps });
    const walks = Array.from(labels, (_, row) =>
      epsilons.map((stepSize): Walk => ({ row, stepSize })),
    ).flat();
    const initialDirection = own(lossDirection(model, images, labels, scaling));
    const nearest = createNearestHits(context); // by squared L2
    for (let start = 0; start < walks.length; start += model.batchSize) {
      const batch = walks.slice(start, start + model.batchSize);
      const rows = Int32Array.from(batch, ({ row }) => row);
      const stepSizes = own(
        tf.tensor2d(
          batch.map(({ stepSize }) => stepSize),
          [batch.length, 1],
        ),
      );
      const origin = own(takeRows(images, rows));
      let x = own(origin.clone());
      let direction = own(takeRows(initialDirection, rows));
      for (let step = 1; step <= settings.steps; step++) {
        await context.yieldToEventLoop();
        const next: tf.Tensor2D = tf.tidy(() => tf.clipByValue(x.add(direction.mul(stepSizes)), 0, 1));
        tf.dispose([x, direction]);
        x = own(next);
        const { classes, squares } = await classesAndDistances(model, x, origin);
        const hits = indicesWhere(rows.length, (i) => isMistake(classes[i]!, labels[rows[i]!]!));
        nearest.keep({ x, owners: rows, distances: squares }, hits);
        direction = own(
          step < settings.steps
            ? lossDirection(model, x, valuesAt(labels, rows), scaling)
            : tf.zeros<tf.Rank.R2>([0, model.width]),
        );
      }
      tf.dispose([x, direction, origin, stepSizes]);
    }
    const steps = epsilons.length * settings.steps;
    return {
      adversarials: nearest.take(),
      steps: new Int32Array(labels.length).fill(steps),
      queries: new Int32Array(labels.length).fill(1 + steps),
    };
  };
