/** PGD on other models, tried on this one (Papernot et al. 2016): all steps on the surrogate, one question to the target. */
import { isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack } from '../attack.ts';
import { untilFooled } from '../hits.ts';
import { crossEntropy, margin } from '../losses.ts';
import { direction, type Norm, project, randomStarts } from '../norms.ts';
import { oneHot, positions } from '../rows.ts';

export const transfer =
  (norm: Norm): Attack<'transfer-linf' | 'transfer-l2'> =>
  (context, settings) => {
    const surrogates = context.resources.surrogates.slice(0, settings.surrogates);
    const lossOf = settings.loss === 'margin' ? margin : crossEntropy;
    const stepSize = settings.stepSize ?? (2.5 * settings.epsilon) / settings.steps;
    return untilFooled(context, surrogates.length, async (standing, number) => {
      const surrogate = surrogates[number]!;
      const { images, labels, model } = standing;
      const truth = oneHot(labels, surrogate.classes);
      let x = randomStarts(standing, norm, settings.epsilon, number);
      for (let step = 0; step < settings.steps; step++) {
        await context.yieldToEventLoop();
        const next = tf.tidy(() => {
          const { gradient } = surrogate.gradient(x, lossOf(truth));
          return project(x.add(direction(gradient, norm).mul(stepSize)), images, norm, settings.epsilon);
        });
        x.dispose();
        x = next;
      }
      truth.dispose();
      const classes = await model.predict(x);
      return {
        adversarials: x,
        fooled: positions(labels.length, (row) => isMistake(classes[row]!, labels[row]!)),
        steps: new Int32Array(labels.length).fill(settings.steps),
        queries: new Int32Array(labels.length).fill(1),
      };
    });
  };
