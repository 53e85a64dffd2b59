/**
 * Single Pixel (Narodytska & Kasiviswanathan 2017, RandAdv) with the semantics of Foolbox 1.8 (`foolbox/attacks/localsearch.py`:
 * `SinglePixelAttack`): sets all channels of one pixel to 0, then to 1, for the pixels in random order, until the model is fooled.
 *
 * Norm: L0. Images: rows of [batch, 28, 28, 1] in [0, 1]. With 784 pixels or more, `pixels` covers an MNIST image completely.
 * Cost per image: at most 2·`pixels` forward passes, no gradient.
 */
import { isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack } from '../attack.ts';
import { createRowStore } from '../batch-rows.ts';
import { pixelGrid } from '../flat-model.ts';

type Candidate = { readonly row: number; readonly pixel: number; readonly value: 0 | 1 };

/** Skips candidates that would not change the image: nearly half of them on MNIST, where most pixels are 0. */
export const singlePixel: Attack<'single-pixel'> = async (context, settings) => {
  const { model, images, labels, own } = context;
  const { pixels, channels } = pixelGrid(model.shape);
  const values = await images.data<'float32'>();
  const success = new Uint8Array(labels.length);
  const queries = new Int32Array(labels.length);
  const found = createRowStore(labels.length, own);
  const changesImage = ({ row, pixel, value }: Candidate): boolean => {
    const start = row * model.width + pixel * channels;
    return values.subarray(start, start + channels).some((v) => v !== value);
  };
  function* candidates(): Generator<Candidate> {
    for (let row = 0; row < labels.length; row++)
      for (const pixel of context.random(row).permutation(pixels).subarray(0, settings.pixels))
        for (const value of [0, 1] as const) {
          const candidate = { row, pixel, value };
          if (success[row] === 1) break;
          if (changesImage(candidate)) yield candidate;
        }
  }
  for (let batch: readonly Candidate[] = [], stream = candidates(), ended = false; !ended; ) {
    await context.yieldToEventLoop();
    ({ batch, ended } = takeBatch(stream, model.batchSize));
    if (batch.length === 0) break;
    const changed = new Float32Array(batch.length * model.width);
    batch.forEach((candidate, i) => {
      const { row, pixel, value } = candidate;
      changed.set(values.subarray(row * model.width, (row + 1) * model.width), i * model.width);
      changed.fill(value, i * model.width + pixel * channels, i * model.width + (pixel + 1) * channels);
    });
    const x = own(tf.tensor2d(changed, [batch.length, model.width]));
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

const takeBatch = <T>(stream: Iterator<T>, count: number): { batch: T[]; ended: boolean } => {
  const batch: T[] = [];
  while (batch.length < count) {
    const { value, done } = stream.next();
    if (done) return { batch, ended: true };
    batch.push(value);
  }
  return { batch, ended: false };
};
