/**
 * Random noise (Carlini et al. 2019, §4.6): uniform draws from the ball until one fools the model. A gradient attack must fool more images
 * than this one.
 *
 * Norm: L∞ or L2. Images: rows of [batch, 28, 28, 1] in [0, 1]. Cost per image: at most `draws` forward passes, no gradient.
 */
import { isMistake } from '@funnel/contracts';
import type { Attack } from '../attack.ts';
import { indicesWhere } from '../batch-rows.ts';
import { repeatUntilFooled } from '../hits.ts';
import { type Norm, randomStarts } from '../norms.ts';

export const noise =
  (norm: Norm): Attack<'noise-linf' | 'noise-l2'> =>
  (context, { epsilon, draws }) =>
    repeatUntilFooled(context, draws, async (remaining, draw) => {
      await context.yieldToEventLoop();
      const { labels, model, own } = remaining;
      const adversarials = own(randomStarts(remaining, norm, epsilon, draw));
      const classes = await model.predict(adversarials);
      const one = new Int32Array(labels.length).fill(1);
      return {
        adversarials,
        fooled: indicesWhere(labels.length, (row) => isMistake(classes[row]!, labels[row]!)),
        steps: one,
        queries: one,
      };
    });
