/** H19, H21: what DeepFool's progress says of the boundary, and what an undefended model says of the attacks. */
import * as tf from '@tensorflow/tfjs';
import { likelyClasses } from '../attacks/likely-classes.ts';
import { linearise } from '../attacks/linearise.ts';
import { marginsOf } from '../margins.ts';
import { median } from '../statistics.ts';
import { type Check, diagnostic } from './context.ts';
import { pgdAt } from './white-box.ts';

/**
 * H19 = median ρ₀ = (gap₀ − gap₁) / gap₀ with gap = z_y − max other, before and after DeepFool's first step: about 1 where the model is
 * locally linear. Flagged below 0.3, or where the median image needs more than 20 steps: it explains results that improve up to 1000.
 */
export const boundaryIsLinear: Check = async ({ evaluate, model, images, values, labels }) => {
  const before = await marginsOf(model, values, labels);
  const others = await likelyClasses({ model, images, labels }, model.classes);
  const logits = model.logits(images);
  const z = await logits.data<'float32'>();
  const moved = await linearise({ model, x: images, z, labels, others, norm: 'l2', reach: 1 });
  const after = await marginsOf(model, await moved.data<'float32'>(), labels);
  tf.dispose([logits, moved]);
  const progress = [...before.margins].map((gap, row) => (gap - after.margins[row]!) / Math.max(gap, 1e-12));
  const { summary, records } = await evaluate('deepfool-l2');
  const steps = median(records.steps) ?? 0;
  const value = median(progress) ?? 0;
  return [
    diagnostic('H19', {
      value,
      threshold: 0.3,
      flagged: value < 0.3 || steps > 20,
      detail: `DeepFool's first step closes a median of ${value.toFixed(2)} of the gap; the median image takes ${steps} steps, ${summary.successes} of ${labels.length} fall.`,
    }),
  ];
};

/** H21 = the least success rate of DeepFool and PGD at L∞ 0.3 on an undefended model; flagged below 0.95: then the attack is wrong. */
export const attacksBreakTheControl: Check = async ({ control, labels }) => {
  if (control === undefined) return [];
  const [deepfool, pgd] = [await control('deepfool-l2'), await control(pgdAt(0.3))];
  const value = Math.min(deepfool.summary.successRate, pgd.summary.successRate);
  const detail = `On the undefended model DeepFool fools ${(100 * deepfool.summary.successRate).toFixed(1)} % and PGD ${(100 * pgd.summary.successRate).toFixed(1)} % of ${labels.length} images.`;
  return [diagnostic('H21', { value, threshold: 0.95, flagged: value < 0.95, detail })];
};
