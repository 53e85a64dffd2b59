/**
 * LocalSearch: greedy rounds on few pixels. Foolbox 1.8 `LocalSearchAttack` (`foolbox/attacks/localsearch.py`), which until 2.0 moved the
 * pixels whose probe left the *lowest* true-class score; `pick: 'highest'` is what 2.1 and later do.
 * All images take their rounds together: their probes share the passes of the model.
 */
import { type AttackSettings, isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { type PixelGrid, pixelGrid } from '../flat-model.ts';
import { oneHot, pick } from '../rows.ts';

type Settings = AttackSettings<'local-search'>;

/** At most so many pixels are probed in a round, and so are drawn for the first one if a tenth of the image is more. */
const maxProbes = 128;

/** One image on its way. `image` holds pixels minus a half, so that the range is [−½, ½]; `pixels` is what the model sees. */
type Search = {
  readonly row: number;
  readonly image: Float32Array;
  readonly pixels: Float32Array;
  readonly permute: (length: number) => Int32Array;
  near: Int32Array;
};

export const localSearch: Attack<'local-search'> = async (context, settings) => {
  const { model, images, labels } = context;
  const grid = pixelGrid(model.shape);
  const values = await images.data<'float32'>();
  const adversarials = values.slice();
  const steps = new Int32Array(labels.length);
  const queries = new Int32Array(labels.length);
  const searches = Array.from(labels, (_, row) => startSearch(context, grid, values, row));
  let active: readonly Search[] = searches;
  for (let round = 0; round < settings.steps && active.length > 0; round++) {
    for (const search of active)
      search.near = pick(search.near, search.permute(search.near.length).subarray(0, maxProbes));
    const scores = await probe(context, active, settings, grid);
    active.forEach((search, i) => {
      const chosen = extremes(search.near, scores[i]!, settings);
      for (const pixel of chosen) move(search, pixel, grid, settings.cycle);
      queries[search.row]! += search.near.length + 1;
      steps[search.row] = round + 1;
      search.near = neighbours(chosen, grid, settings.distance);
    });
    const classes = await classify(context, active);
    active = active.filter(({ row, pixels }, i) => {
      if (!isMistake(classes[i]!, labels[row]!)) return true;
      adversarials.set(pixels, row * model.width);
      return false;
    });
  }
  return { adversarials: tf.tensor2d(adversarials, [labels.length, model.width]), steps, queries };
};

const startSearch = (
  { model, random }: AttackContext,
  { pixels }: PixelGrid,
  values: Float32Array,
  row: number,
): Search => {
  const { permutation } = random(row);
  return {
    row,
    image: values.subarray(row * model.width, (row + 1) * model.width).map((value) => value - 0.5),
    pixels: values.slice(row * model.width, (row + 1) * model.width),
    permute: permutation,
    near: permutation(pixels).slice(0, Math.min(Math.floor(0.1 * pixels), maxProbes)),
  };
};

/** For every image, the true-class probability left by each probe: `p · sign(I)` in one pixel, far out of range on purpose. */
const probe = async (
  context: AttackContext,
  active: readonly Search[],
  settings: Settings,
  { channels }: PixelGrid,
) => {
  const { model, labels } = context;
  const probes = active.flatMap((search) => Array.from(search.near, (pixel) => ({ search, pixel })));
  const scores = new Float32Array(probes.length);
  for (let start = 0; start < probes.length; start += model.batchSize) {
    await context.yieldToEventLoop();
    const batch = probes.slice(start, start + model.batchSize);
    const tried = new Float32Array(batch.length * model.width);
    batch.forEach(({ search, pixel }, i) => {
      const at = i * model.width;
      tried.set(search.pixels, at);
      for (let j = pixel * channels; j < (pixel + 1) * channels; j++)
        tried[at + j] = settings.probe * Math.sign(search.image[j]!) + 0.5;
    });
    const left = tf.tidy(() => {
      const logits = model.logits(tf.tensor2d(tried, [batch.length, model.width]));
      const truth = oneHot(
        Int32Array.from(batch, ({ search }) => labels[search.row]!),
        model.classes,
      );
      return tf.sum(tf.softmax(logits).mul(truth), 1);
    });
    scores.set(await left.data<'float32'>(), start);
    left.dispose();
  }
  let at = 0;
  return active.map(({ near }) => {
    at += near.length;
    return scores.subarray(at - near.length, at);
  });
};

/** The pixels with the lowest (or highest) scores; those whose score is NaN come last. */
const extremes = (near: Int32Array, scores: Float32Array, { pixels, pick: which }: Settings): Int32Array => {
  const sign = which === 'lowest' ? 1 : -1;
  const rank = scores.map((score) => (Number.isNaN(score) ? Number.POSITIVE_INFINITY : sign * score));
  const order = Array.from(near.keys()).sort((a, b) => rank[a]! - rank[b]!);
  return Int32Array.from(order.slice(0, pixels), (i) => near[i]!);
};

/** Multiplies a pixel, cyclically in range: 0 → ¾ → ⅞ → … from black. */
const move = ({ image, pixels }: Search, pixel: number, { channels }: PixelGrid, cycle: number): void => {
  for (let at = pixel * channels; at < (pixel + 1) * channels; at++) {
    const value = cycle * image[at]!;
    image[at] = value < -0.5 ? value + 1 : value > 0.5 ? value - 1 : value;
    pixels[at] = image[at]! + 0.5;
  }
};

/** All pixels of the squares of half side `distance` around the chosen ones, inside the image, each once. */
const neighbours = (chosen: Int32Array, { height, width }: PixelGrid, distance: number): Int32Array => {
  const near = new Set<number>();
  for (const pixel of chosen) {
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    for (let y = Math.max(0, row - distance); y <= Math.min(height - 1, row + distance); y++)
      for (let x = Math.max(0, column - distance); x <= Math.min(width - 1, column + distance); x++)
        near.add(y * width + x);
  }
  return Int32Array.from(near);
};

const classify = async ({ model }: AttackContext, active: readonly Search[]): Promise<Int32Array> => {
  const tried = new Float32Array(active.length * model.width);
  active.forEach(({ pixels }, i) => {
    tried.set(pixels, i * model.width);
  });
  const x = tf.tensor2d(tried, [active.length, model.width]);
  const classes = await model.predict(x);
  x.dispose();
  return classes;
};
