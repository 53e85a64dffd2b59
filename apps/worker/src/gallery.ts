/** The pictures that an evaluation keeps: of the first images on which the attack succeeded, then of the first others. */
import type { EvaluationRecords } from '@funnel/contracts';
import type { EvaluationWrite } from '@funnel/db';
import { imageBytes, type Split } from '@funnel/engine';

const maxPictures = 24;

const toBytes = (pixels: Float32Array): Uint8Array =>
  Uint8Array.from(pixels, (value) => Math.round(value * 255));

/** Collects pictures while the attack runs, and never holds more than it keeps. Images are named by their place in the split. */
export const createGallery = () => {
  const attacked = new Map<number, Uint8Array>();
  return {
    /** `pixels`: [height · width · channels] in [0, 1]. */
    add: (image: number, pixels: Float32Array): void => {
      attacked.set(image, toBytes(pixels));
      if (attacked.size > maxPictures) attacked.delete(Math.max(...attacked.keys()));
    },
    /** The pictures before and after the attack. `records`: of the first images of the split. */
    pictures: ({ index, success }: EvaluationRecords, split: Split): EvaluationWrite['gallery'] => {
      const others = index.filter((image) => !success[image]).slice(0, maxPictures - attacked.size);
      const shown = [...attacked.keys(), ...others].sort((a, b) => a - b);
      const original = split.read(shown).slice(); // a copy: the split may answer with a part of its own bytes
      const after = original.slice();
      const size = imageBytes(split.shape);
      for (const [place, image] of shown.entries()) {
        const pixels = attacked.get(image);
        if (pixels) after.set(pixels, place * size);
      }
      return { shape: split.shape, index: shown, original, attacked: after };
    },
  };
};
