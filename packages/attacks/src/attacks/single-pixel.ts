/**
 * Single Pixel: one pixel, all its channels, to the least or the greatest value, in random order over the pixels.
 * Foolbox 1.8 `SinglePixelAttack` (`foolbox/attacks/localsearch.py`). On a 28×28 image it is a search through everything.
 */
import { isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack } from '../attack.ts';
import { pixelGrid } from '../flat-model.ts';
import { createRowStore } from '../rows.ts';

type Candidate = { readonly row: number; readonly pixel: number; readonly value: 0 | 1 };

/** Candidates that would change nothing are not tried: on MNIST, where most pixels are 0, that is nearly half of them. */
export const singlePixel: Attack<'single-pixel'> = async (context, settings) => {
  const { model, images, labels } = context;
  const { pixels, channels } = pixelGrid(model.shape);
  const values = await images.data<'float32'>();
  const channelsOf = ({ row, pixel }: Candidate): number => row * model.width + pixel * channels;
  const changes = (candidate: Candidate): boolean =>
    values
      .subarray(channelsOf(candidate), channelsOf(candidate) + channels)
      .some((v) => v !== candidate.value);
  function* candidates(): Generator<Candidate> {
    for (let row = 0; row < labels.length; row++)
      for (const pixel of context.random(row).permutation(pixels).subarray(0, settings.pixels))
        for (const value of [0, 1] as const) {
          const candidate = { row, pixel, value };
          if (success[row] === 1) break;
          if (changes(candidate)) yield candidate;
        }
  }
  const success = new Uint8Array(labels.length);
  const queries = new Int32Array(labels.length);
  const found = createRowStore(labels.length);
  for (let batch: readonly Candidate[] = [], stream = candidates(), ended = false; !ended; ) {
    await context.yieldToEventLoop();
    ({ batch, ended } = take(stream, model.batchSize));
    if (batch.length === 0) break;
    const tried = new Float32Array(batch.length * model.width);
    batch.forEach((candidate, i) => {
      const { row, pixel, value } = candidate;
      tried.set(values.subarray(row * model.width, (row + 1) * model.width), i * model.width);
      tried.fill(value, i * model.width + pixel * channels, i * model.width + (pixel + 1) * channels);
    });
    const x = tf.tensor2d(tried, [batch.length, model.width]);
    const classes = await model.predict(x);
    const hits: number[] = [];
    batch.forEach(({ row }, i) => {
      if (success[row] === 1) return;
      queries[row]!++;
      if (!isMistake(classes[i]!, labels[row]!)) return;
      success[row] = 1;
      hits.push(i);
    });
    found.put(
      x,
      Int32Array.from(hits),
      Int32Array.from(hits, (i) => batch[i]!.row),
    );
    x.dispose();
  }
  return { adversarials: found.collect(images), steps: queries.slice(), queries };
};

const take = <T>(stream: Iterator<T>, count: number): { batch: T[]; ended: boolean } => {
  const batch: T[] = [];
  while (batch.length < count) {
    const { value, done } = stream.next();
    if (done) return { batch, ended: true };
    batch.push(value);
  }
  return { batch, ended: false };
};
