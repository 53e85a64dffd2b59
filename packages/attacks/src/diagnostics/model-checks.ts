/**
 * Checks of the model's outputs: H11 passes over the same images agree, H12 the outputs are logits, H14 small noise does not change the
 * loss, H15 and H16 an attack can follow the loss to its end (indicators of attack failure, Pintor et al. 2022), H19 the boundary is
 * locally linear.
 */
import { classesOf } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { linearisedStep } from '../attacks/deepfool.ts';
import { oneHot } from '../batch-rows.ts';
import { areProbabilities } from '../classifier.ts';
import { likelyClasses, marginsOf } from '../flat-model.ts';
import { crossEntropy } from '../losses.ts';
import { ascentDirection, project } from '../norms.ts';
import { owning, takeValues } from '../ownership.ts';
import { median } from '../statistics.ts';
import { type Check, type CheckContext, detailUnlessAllFall, diagnostic, percent } from './check.ts';

const repeats = 5;

/**
 * H11 = the largest difference between the logits of `repeats` forward passes, scaled to length 1 per image; 1 when the classes differ
 * (`autoattack/checks.py`). Flagged above 1e-4: an attack on a random model must average over its randomness.
 */
export const predictionsDiffer: Check = async ({ model, images, labels }) => {
  const passes: { readonly unit: Float32Array; readonly classes: Int32Array }[] = [];
  for (let i = 0; i < repeats; i++) {
    const pass = await owning(async (own) => {
      const logits = own(model.logits(images));
      const unit = own(tf.tidy(() => logits.div(tf.sqrt(tf.sum(tf.square(logits), 1, true)).add(1e-12))));
      const classes = classesOf(await logits.data<'float32'>(), model.classes);
      return { unit: await unit.data<'float32'>(), classes };
    });
    passes.push(pass);
  }
  const [first, ...others] = passes;
  const classesDiffer = others.some(({ classes }) => classes.some((k, i) => k !== first!.classes[i]));
  const value = classesDiffer
    ? 1
    : Math.max(
        ...others.map(({ unit }) =>
          unit.reduce((max, v, i) => Math.max(max, Math.abs(v - first!.unit[i]!)), 0),
        ),
      );
  const detail = `${repeats} forward passes over ${labels.length} images ${classesDiffer ? 'disagree on classes' : `differ by ${value.toExponential(1)} at most`}.`;
  return [
    diagnostic('H11', { images: labels.length, value, threshold: 1e-4, flagged: value > 1e-4, detail }),
  ];
};

/** H12 = 1 when every output row lies in [0, 1] and sums to 1 ± 1e-5: the model gives probabilities, not logits. */
export const outputsAreProbabilities: Check = async ({ model, images, labels }) => {
  const value = areProbabilities(await takeValues(model.logits(images)), model.classes) ? 1 : 0;
  const detail = `Outputs for ${labels.length} images ${value === 1 ? 'are probabilities' : 'are not probabilities'}.`;
  return [diagnostic('H12', { images: labels.length, value, threshold: 0, flagged: value > 0, detail })];
};

const noises = 20;
const radius = 0.01;

/** H14 = the mean over draws n, uniform in ±radius/2, of min(1, |L(x + n) − L(x)| / |L(x)|), where L is the margin; flagged above 0.1. */
export const lossIsUnstable: Check = async ({ model, values, labels, random }) => {
  const { margins: atImages } = await marginsOf(model, values, labels);
  let sum = 0;
  for (let k = 0; k < noises; k++) {
    const { uniform } = random('H14', k);
    const moved = values.map((value) => value + radius * (uniform() - 0.5));
    const { margins } = await marginsOf(model, moved, labels);
    atImages.forEach((margin, row) => {
      sum += Math.min(1, Math.abs(margins[row]! - margin) / Math.max(Math.abs(margin), 1e-12));
    });
  }
  const value = sum / Math.max(noises * labels.length, 1);
  const detail = `Noise of ±${radius / 2} per pixel changes the margin by ${(100 * value).toFixed(2)} % on average over ${labels.length} images.`;
  return [diagnostic('H14', { images: labels.length, value, threshold: 0.1, flagged: value > 0.1, detail })];
};

const steps = 40;
const lastSteps = 10;

/**
 * Follows a plain PGD of 40 steps.
 * H15, `hit-is-lost-on-the-way` = the share of the images whose last iterate is classified correctly though an earlier one was not. Never
 * flagged: the driver keeps the best iterate.
 * H16 = among the images that no iterate fooled, the share whose margin still falls by more than 0.05 in the last 10 steps, scaled to [0, 1]
 * and made monotone; flagged above 0.1.
 */
export const optimisationIsIncomplete: Check = async (context) => {
  const { labels } = context;
  const iterates = await marginsOfIterates(context);
  const paths = Array.from(labels.keys(), (row) => iterates.map((margins) => margins[row]!));
  const lost =
    paths.filter((path) => path[steps]! > 0 && Math.min(...path) <= 0).length / Math.max(paths.length, 1);
  const unfooled = paths.filter((path) => Math.min(...path) > 0);
  const unfinished = unfooled.filter((path) => lateDrop(path) > 0.05).length / Math.max(unfooled.length, 1);
  return [
    diagnostic('H15', {
      images: labels.length,
      value: lost,
      threshold: 1,
      flagged: false,
      detail: `${percent(lost)} of ${labels.length} images are fooled by an earlier iterate of plain PGD but not by its last; an attack keeps the best iterate.`,
    }),
    diagnostic('H16', {
      images: unfooled.length,
      value: unfinished,
      threshold: 0.1,
      flagged: unfinished > 0.1,
      detail: detailUnlessAllFall(context, {
        fooled: labels.length - unfooled.length,
        detail: `The margin of the true class still falls in the last ${lastSteps} of ${steps} steps on ${percent(unfinished)} of the ${unfooled.length} images that PGD does not fool.`,
      }),
    }),
  ];
};

/** The margin z_y − max over j ≠ y of z_j of every iterate, `[steps + 1][n]`: negative where the model errs. */
const marginsOfIterates = ({ model, images, labels, budgets }: CheckContext): Promise<Float32Array[]> =>
  owning(async (own) => {
    const truth = own(oneHot(labels, model.classes));
    const iterates: Float32Array[] = [];
    let x = own(images.clone());
    for (let step = 0; step <= steps; step++) {
      iterates.push((await marginsOf(model, await x.data<'float32'>(), labels)).margins);
      const next = tf.tidy(() => {
        const { gradient } = model.gradient(x, crossEntropy(truth));
        const ahead = x.add<tf.Tensor2D>(ascentDirection(gradient, 'linf').mul((2.5 * budgets.linf) / steps));
        return project(ahead, images, 'linf', budgets.linf);
      });
      x.dispose();
      x = own(next);
    }
    return iterates;
  });

/** How much the running minimum of a path, scaled to [0, 1], falls in the last steps. */
const lateDrop = (path: readonly number[]): number => {
  const [low, high] = [Math.min(...path), Math.max(...path)];
  if (high === low) return 0;
  let minimum = Number.POSITIVE_INFINITY;
  const monotone = path.map((value) => {
    minimum = Math.min(minimum, (value - low) / (high - low));
    return minimum;
  });
  return monotone[monotone.length - 1 - lastSteps]! - monotone[monotone.length - 1]!;
};

/**
 * H19 = the median of (gap₀ − gap₁) / gap₀, the share of the margin that DeepFool's first step closes: about 1 for a locally linear model.
 * Flagged below 0.3, or when the median image needs more than 20 steps. A flag explains results that still improve at 1000 steps.
 */
export const boundaryIsNotLinear: Check = async ({ evaluate, model, images, values, labels }) => {
  const before = await marginsOf(model, values, labels);
  const candidates = await likelyClasses(model, images, labels, model.classes);
  const z = await takeValues(model.logits(images));
  const step = { norm: 'l2', stepFactor: 1, added: new Float64Array(labels.length) } as const;
  const moved = await linearisedStep({ model, x: images, z, labels, candidates, ...step });
  const after = await marginsOf(model, await takeValues(moved), labels);
  const progress = [...before.margins].map((gap, row) => (gap - after.margins[row]!) / Math.max(gap, 1e-12));
  const { summary, records } = await evaluate('deepfool-l2');
  const medianSteps = median(records.steps) ?? 0;
  const value = median(progress) ?? 0;
  return [
    diagnostic('H19', {
      images: labels.length,
      value,
      threshold: 0.3,
      flagged: value < 0.3 || medianSteps > 20,
      detail: `DeepFool's first step closes a median of ${value.toFixed(2)} of the gap; the median image takes ${medianSteps} steps, ${summary.successes} of ${labels.length} fall.`,
    }),
  ];
};
