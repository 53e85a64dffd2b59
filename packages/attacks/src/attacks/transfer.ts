/**
 * Transfer attack (Papernot et al. 2016): PGD on other models, the surrogates. The attack then tries the last iterate on the attacked
 * model.
 *
 * Norm: L∞ or L2. Images: rows of [batch, 28, 28, 1] in [0, 1]. Needs `resources.surrogates`.
 * Cost per image and surrogate: `steps` gradients of the surrogate and 1 forward pass of the attacked model. `queries` counts only the
 * forward pass.
 */
import { isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack } from '../attack.ts';
import { indicesWhere, oneHot } from '../batch-rows.ts';
import { repeatUntilFooled } from '../hits.ts';
import { crossEntropy, margin } from '../losses.ts';
import { ascentDirection, type Norm, project, randomStarts, stepLength } from '../norms.ts';

export const transfer =
  (norm: Norm): Attack<'transfer-linf' | 'transfer-l2'> =>
  (context, settings) => {
    const surrogates = context.resources.surrogates.slice(0, settings.surrogates);
    const lossOf = settings.loss === 'margin' ? margin : crossEntropy;
    const stepSize = stepLength(settings);
    return repeatUntilFooled(context, surrogates.length, async (remaining, number) => {
      const surrogate = surrogates[number]!;
      const { images, labels, model, own } = remaining;
      const truth = own(oneHot(labels, surrogate.classes));
      let x = own(randomStarts(remaining, norm, settings.epsilon, number));
      for (let step = 0; step < settings.steps; step++) {
        await context.yieldToEventLoop();
        const next = tf.tidy(() => {
          const { gradient } = surrogate.gradient(x, lossOf(truth));
          return project(
            x.add(ascentDirection(gradient, norm).mul(stepSize)),
            images,
            norm,
            settings.epsilon,
          );
        });
        x.dispose();
        x = own(next);
      }
      truth.dispose();
      const classes = await model.predict(x);
      return {
        adversarials: x,
        fooled: indicesWhere(labels.length, (row) => isMistake(classes[row]!, labels[row]!)),
        steps: new Int32Array(labels.length).fill(settings.steps),
        queries: new Int32Array(labels.length).fill(1),
      };
    });
  };
