import { classOf, noClass } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { type AttackChoice, attackImage } from './attack-image.ts';
import type { BrowserModel } from './load-model.ts';

/** One image as the model sees it. */
export type Seen = {
  readonly pixels: Float32Array;
  /** Softmax of the logits, one per class. */
  readonly probabilities: Float32Array;
  /** `noClass` where the model gives it none. */
  readonly label: number;
  readonly reconstruction: Float32Array | null;
};

export type Tried = { readonly clean: Seen; readonly attacked: Seen };

const look = async (model: BrowserModel, image: tf.Tensor4D): Promise<Seen> => {
  const logits = model.logits(image);
  const probabilities = tf.tidy(() => tf.softmax(logits));
  const { reconstruct } = model;
  const rebuilt = reconstruct === null ? null : tf.tidy(() => reconstruct(image));
  const [answer, shares, pixels, reconstruction] = await Promise.all([
    logits.data<'float32'>(),
    probabilities.data<'float32'>(),
    image.data<'float32'>(),
    rebuilt?.data<'float32'>() ?? null,
  ]);
  tf.dispose([logits, probabilities, ...(rebuilt ? [rebuilt] : [])]);
  return {
    pixels: Float32Array.from(pixels),
    probabilities: Float32Array.from(shares),
    label: classOf(answer),
    reconstruction,
  };
};

/** Classifies an image, attacks it away from the class that it got, and classifies what came of it. Without a class it stays as it is. */
export const tryAttack = async (
  model: BrowserModel,
  pixels: Float32Array,
  shape: readonly [number, number, number],
  choice: AttackChoice,
): Promise<Tried> => {
  const image = tf.tensor4d(pixels, [1, ...shape]);
  const clean = await look(model, image);
  const moved =
    clean.label === noClass ? image.clone() : attackImage(model.logits, image, clean.label, choice);
  const attacked = await look(model, moved);
  tf.dispose([image, moved]);
  return { clean, attacked };
};
