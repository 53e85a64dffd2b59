/**
 * Local Search (Narodytska & Kasiviswanathan 2017, Algorithm 1) with the semantics of Foolbox 1.8 (`foolbox/attacks/localsearch.py`):
 * greedy rounds on few pixels. A round probes pixels far out of range, changes the pixels whose probe left the *lowest* probability of the
 * true class, and probes near these pixels next. `pick: 'highest'` does the same as Foolbox 2.1 and later.
 *
 * Norm: L0. Images: rows of [batch, 28, 28, 1] in [0, 1].
 * Cost per image and round: at most 129 forward passes, no gradient. All images take their rounds together and share the passes.
 */
import { type AttackSettings, isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { oneHot, valuesAt } from '../batch-rows.ts';
import { type PixelGrid, pixelGrid } from '../flat-model.ts';
import { owning, takeValues } from '../ownership.ts';

type Settings = AttackSettings<'local-search'>;

/** The number of pixels that a round probes at most. The first round draws this many, or a tenth of the image when that is less. */
const maxProbes = 128;

/** The search of one image. `image` holds the pixels minus ½, so its range is [−½, ½]; the model gets `pixels`, in [0, 1]. */
type Search = {
  readonly row: number;
  readonly image: Float32Array;
  readonly pixels: Float32Array;
  readonly permute: (length: number) => Int32Array;
  /** The pixels to probe next. */
  candidates: Int32Array;
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
    for (const search of active) {
      const order = search.permute(search.candidates.length).subarray(0, maxProbes);
      search.candidates = valuesAt(search.candidates, order);
    }
    const scores = await probe(context, active, settings, grid);
    active.forEach((search, i) => {
      const chosen = choosePixels(search.candidates, scores[i]!, settings);
      for (const pixel of chosen) changePixel(search, pixel, grid, settings.cycle);
      queries[search.row]! += search.candidates.length + 1;
      steps[search.row] = round + 1;
      search.candidates = neighbours(chosen, grid, settings.distance);
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
    candidates: permutation(pixels).slice(0, Math.min(Math.floor(0.1 * pixels), maxProbes)),
  };
};

/**
 * For every image the probability of the true class after each probe. A probe sets one pixel to `p · sign(I)`, out of range on purpose. Probes of
 * neighbouring pixels follow each other: their images share most sums of a convolution, which the kernels then compute once.
 */
const probe = async (
  context: AttackContext,
  active: readonly Search[],
  settings: Settings,
  { channels }: PixelGrid,
) => {
  const { model, labels } = context;
  const scores = active.map(({ candidates }) => new Float32Array(candidates.length));
  const probes = active.flatMap((search, i) =>
    Array.from(search.candidates, (pixel, at) => ({ search, pixel, scores: scores[i]!, at })).sort(
      (a, b) => a.pixel - b.pixel,
    ),
  );
  for (let start = 0; start < probes.length; start += model.batchSize) {
    await context.yieldToEventLoop();
    const batch = probes.slice(start, start + model.batchSize);
    const probed = new Float32Array(batch.length * model.width);
    batch.forEach(({ search, pixel }, i) => {
      const offset = i * model.width;
      probed.set(search.pixels, offset);
      for (let j = pixel * channels; j < (pixel + 1) * channels; j++)
        probed[offset + j] = settings.probe * Math.sign(search.image[j]!) + 0.5;
    });
    const probabilities = () => {
      const logits = model.logits(tf.tensor2d(probed, [batch.length, model.width]));
      const truth = oneHot(
        Int32Array.from(batch, ({ search }) => labels[search.row]!),
        model.classes,
      );
      return tf.sum(tf.softmax(logits).mul(truth), 1);
    };
    const found = await takeValues(tf.tidy(probabilities));
    batch.forEach((one, i) => {
      one.scores[one.at] = found[i]!;
    });
  }
  return scores;
};

/** The candidates with the lowest (or highest) scores. A candidate whose score is NaN comes last. */
const choosePixels = (
  candidates: Int32Array,
  scores: Float32Array,
  { pixels, pick }: Settings,
): Int32Array => {
  const sign = pick === 'lowest' ? 1 : -1;
  const rank = scores.map((score) => (Number.isNaN(score) ? Number.POSITIVE_INFINITY : sign * score));
  const order = Array.from(candidates.keys()).sort((a, b) => rank[a]! - rank[b]!);
  return Int32Array.from(order.slice(0, pixels), (i) => candidates[i]!);
};

/** Multiplies a pixel by `cycle`. A value beyond one end of the range enters again at the other end: black goes to ¾, ⅞, … */
const changePixel = (
  { image, pixels }: Search,
  pixel: number,
  { channels }: PixelGrid,
  cycle: number,
): void => {
  for (let at = pixel * channels; at < (pixel + 1) * channels; at++) {
    const value = cycle * image[at]!;
    image[at] = value < -0.5 ? value + 1 : value > 0.5 ? value - 1 : value;
    pixels[at] = image[at]! + 0.5;
  }
};

/** All pixels of the squares with half side `distance` around the chosen pixels, each pixel once. */
const neighbours = (chosen: Int32Array, { height, width }: PixelGrid, distance: number): Int32Array => {
  const found = new Set<number>();
  for (const pixel of chosen) {
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    for (let y = Math.max(0, row - distance); y <= Math.min(height - 1, row + distance); y++)
      for (let x = Math.max(0, column - distance); x <= Math.min(width - 1, column + distance); x++)
        found.add(y * width + x);
  }
  return Int32Array.from(found);
};

const classify = ({ model }: AttackContext, active: readonly Search[]): Promise<Int32Array> => {
  const values = new Float32Array(active.length * model.width);
  active.forEach(({ pixels }, i) => {
    values.set(pixels, i * model.width);
  });
  return owning((own) => model.predict(own(tf.tensor2d(values, [active.length, model.width]))));
};
