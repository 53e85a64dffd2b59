/** H11, H12: whether the model answers the same twice, and with logits. */
import { classesOf } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { areProbabilities } from '../model.ts';
import { type Check, diagnostic } from './context.ts';

const repeats = 5;

/**
 * H11 = the greatest difference between logits of `repeats` forward passes, each scaled to unit length per image, or 1 where predictions
 * differ (`autoattack/checks.py`); flagged above 1e-4: a random model needs attacks that average over its randomness.
 */
export const predictionsRepeat: Check = async ({ model, images, labels }) => {
  const runs: { readonly unit: Float32Array; readonly classes: Int32Array }[] = [];
  for (let i = 0; i < repeats; i++) {
    const logits = model.logits(images);
    const unit = tf.tidy(() => logits.div(tf.sqrt(tf.sum(tf.square(logits), 1, true)).add(1e-12)));
    const classes = classesOf(await logits.data<'float32'>(), model.classes);
    runs.push({ unit: await unit.data<'float32'>(), classes });
    tf.dispose([logits, unit]);
  }
  const [first, ...others] = runs;
  const differs = others.some(({ classes }) => classes.some((k, i) => k !== first!.classes[i]));
  const value = differs
    ? 1
    : Math.max(
        ...others.map(({ unit }) =>
          unit.reduce((most, v, i) => Math.max(most, Math.abs(v - first!.unit[i]!)), 0),
        ),
      );
  const detail = `${repeats} forward passes over ${labels.length} images ${differs ? 'disagree on classes' : `differ by ${value.toExponential(1)} at most`}.`;
  return [diagnostic('H11', { value, threshold: 1e-4, flagged: value > 1e-4, detail })];
};

/** H12 = 1 where every output row lies in [0, 1] and sums to 1 ± 1e-5: probabilities were passed for logits. */
export const outputsAreLogits: Check = async ({ model, images, labels }) => {
  const logits = model.logits(images);
  const value = areProbabilities(await logits.data<'float32'>(), model.classes) ? 1 : 0;
  logits.dispose();
  const detail = `Outputs for ${labels.length} images ${value === 1 ? 'are probabilities' : 'are not probabilities'}.`;
  return [diagnostic('H12', { value, threshold: 0, flagged: value > 0, detail })];
};
