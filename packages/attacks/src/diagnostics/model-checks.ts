/** H11, H12: whether the model answers the same twice, and with logits. */
import { classesOf } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { linearise } from '../attacks/deepfool.ts';
import { areProbabilities } from '../classifier.ts';
import { likelyClasses, marginsOf } from '../flat-model.ts';
import { crossEntropy } from '../losses.ts';
import { direction, project } from '../norms.ts';
import { oneHot } from '../rows.ts';
import { median } from '../statistics.ts';
import { type Check, type CheckContext, diagnostic, pgdAt } from './check.ts';

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

// H14, H15, H16: indicators of attack failure along the path of a plain PGD (Pintor et al. 2022).

const steps = 40;
const tail = 10;

/** z_y − max other of every iterate, `[steps + 1][n]`: negative where the model errs. */
const margins = async ({ model, images, labels, budgets }: CheckContext): Promise<Float32Array[]> => {
  const truth = oneHot(labels, model.classes);
  const path: Float32Array[] = [];
  let x = images.clone();
  for (let step = 0; step <= steps; step++) {
    path.push((await marginsOf(model, await x.data<'float32'>(), labels)).margins);
    const next = tf.tidy(() => {
      const { gradient } = model.gradient(x, crossEntropy(truth));
      return project(
        x.add(direction(gradient, 'linf').mul((2.5 * budgets.linf) / steps)),
        images,
        'linf',
        budgets.linf,
      );
    });
    x.dispose();
    x = next;
  }
  tf.dispose([x, truth]);
  return path;
};

/**
 * H15 = share of images whose last iterate is correct though an earlier one was not. Never flagged: the driver keeps the best on the path.
 * H16 = share of the images never fooled whose loss, scaled to [0, 1] and made monotone, still falls by more than 0.05 in the last 10 of
 * 40 steps; flagged above 0.1.
 */
export const pathIsComplete: Check = async (context) => {
  const { labels } = context;
  const path = await margins(context);
  const rows = Array.from(labels.keys(), (row) => path.map((at) => at[row]!));
  const silent =
    rows.filter((row) => row[steps]! > 0 && Math.min(...row) <= 0).length / Math.max(rows.length, 1);
  const failed = rows.filter((row) => Math.min(...row) > 0);
  const unfinished = failed.filter((row) => lateDrop(row) > 0.05).length / Math.max(failed.length, 1);
  return [
    diagnostic('H15', {
      value: silent,
      threshold: 1,
      flagged: false,
      detail: `${(100 * silent).toFixed(1)} % of ${labels.length} images are fooled on the way of plain PGD but not at its end; the best on the path is kept.`,
    }),
    diagnostic('H16', {
      value: unfinished,
      threshold: 0.1,
      flagged: unfinished > 0.1,
      detail: `The loss still falls in the last ${tail} of ${steps} steps on ${(100 * unfinished).toFixed(1)} % of the ${failed.length} images that PGD does not fool.`,
    }),
  ];
};

const lateDrop = (path: readonly number[]): number => {
  const [low, high] = [Math.min(...path), Math.max(...path)];
  if (high === low) return 0;
  let least = Number.POSITIVE_INFINITY;
  const monotone = path.map((value) => {
    least = Math.min(least, (value - low) / (high - low));
    return least;
  });
  return monotone[monotone.length - 1 - tail]! - monotone[monotone.length - 1]!;
};

const noises = 20;
const radius = 0.01;

/** H14 = mean over noises n, uniform in ±radius/2, of min(1, |L(x + n) − L(x)| / |L(x)|), L = z_y − max other; flagged above 0.1. */
export const lossIsStable: Check = async ({ model, values, labels, random }) => {
  const { margins: here } = await marginsOf(model, values, labels);
  let sum = 0;
  for (let k = 0; k < noises; k++) {
    const { uniform } = random('H14', k);
    const near = values.map((value) => value + radius * (uniform() - 0.5));
    const { margins: there } = await marginsOf(model, near, labels);
    here.forEach((margin, row) => {
      sum += Math.min(1, Math.abs(there[row]! - margin) / Math.max(Math.abs(margin), 1e-12));
    });
  }
  const value = sum / Math.max(noises * labels.length, 1);
  const detail = `Noise of ±${radius / 2} per pixel changes the margin by ${(100 * value).toFixed(2)} % on average over ${labels.length} images.`;
  return [diagnostic('H14', { value, threshold: 0.1, flagged: value > 0.1, detail })];
};

// H19, H21: what DeepFool's progress says of the boundary, and what an undefended model says of the attacks.

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
