/** H14, H15, H16: indicators of attack failure along the path of a plain PGD (Pintor et al. 2022). */
import * as tf from '@tensorflow/tfjs';
import { crossEntropy } from '../losses.ts';
import { marginsOf } from '../margins.ts';
import { direction, project } from '../norms.ts';
import { oneHot } from '../rows.ts';
import { type Check, type CheckContext, diagnostic } from './context.ts';

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
