/** Uniform draws from the ball, until one fools the model: the least that a gradient attack must beat (Carlini et al. 2019, §4.6). */
import { isMistake } from '@funnel/contracts';
import type { Attack } from '../attack.ts';
import { untilFooled } from '../hits.ts';
import { type Norm, randomStarts } from '../norms.ts';
import { positions } from '../rows.ts';

export const noise =
  (norm: Norm): Attack<'noise-linf' | 'noise-l2'> =>
  (context, { epsilon, draws }) =>
    untilFooled(context, draws, async (standing, draw) => {
      await context.yieldToEventLoop();
      const { labels, model } = standing;
      const adversarials = randomStarts(standing, norm, epsilon, draw);
      const classes = await model.predict(adversarials);
      const once = new Int32Array(labels.length).fill(1);
      return {
        adversarials,
        fooled: positions(labels.length, (row) => isMistake(classes[row]!, labels[row]!)),
        steps: once,
        queries: once,
      };
    });
