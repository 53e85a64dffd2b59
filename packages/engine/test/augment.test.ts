import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { augment, isAugmenting } from '../src/augment.ts';
import { openBackend } from '../src/backends/open-backend.ts';
import { createRandom, type Random, uniformNoise } from '../src/random.ts';
import { continuing, onto, run, specOf } from './stages.ts';

const shape = [3, 4, 2] as const;
const size = 24;
const images = uniformNoise(createRandom('images'), 200 * size).map((u) => (u + 1) / 2);
const streams =
  (step = 0) =>
  (change: string) =>
    createRandom(7, 'initialise', change, 0, step);

/** A stream that gives these values of `uniform` and `below`, one after the other. */
const given =
  (...values: number[]) =>
  (): Random => {
    const next = () => values.shift()!;
    return { bits: next, uniform: next, normal: next, below: next };
  };
const grey = (...rows: number[][]) => Float32Array.from(rows.flat());

describe('augment', () => {
  it('is off by default, and then gives the same images', () => {
    expect(isAugmenting({})).toBe(false);
    expect(augment(images, shape, {}, streams())).toBe(images);
    for (const one of [{ augmentFlip: 'horizontal' }, { augmentShift: 1 }, { augmentCrop: 0.1 }] as const)
      expect(isAugmenting(one)).toBe(true);
  });

  it('mirrors half of the images from left to right, with all channels', () => {
    const flipped = augment(images, shape, { augmentFlip: 'horizontal' }, streams());
    let mirrored = 0;
    for (let n = 0; n < 200; n++) {
      const at = (values: Float32Array, y: number, x: number, c: number) =>
        values[n * size + (y * 4 + x) * 2 + c]!;
      const isMirrored = at(flipped, 0, 0, 0) === at(images, 0, 3, 0);
      if (isMirrored) mirrored += 1;
      for (let y = 0; y < 3; y++)
        for (let x = 0; x < 4; x++)
          for (let c = 0; c < 2; c++)
            expect(at(flipped, y, x, c)).toBe(at(images, y, isMirrored ? 3 - x : x, c));
    }
    expect(Math.abs(mirrored - 100)).toBeLessThan(5 * Math.sqrt(50)); // five standard deviations
  });

  it('moves an image, and fills the gap with black', () => {
    const image = grey([1, 2, 3], [4, 5, 6], [7, 8, 9]);
    const moved = (down: number, right: number) =>
      augment(image, [3, 3, 1], { augmentShift: 2 }, given(down + 2, right + 2));
    expect(moved(0, 0)).toEqual(image);
    expect(moved(1, 0)).toEqual(grey([0, 0, 0], [1, 2, 3], [4, 5, 6]));
    expect(moved(-1, 2)).toEqual(grey([0, 0, 4], [0, 0, 7], [0, 0, 0]));
    expect(moved(0, -1)).toEqual(grey([2, 3, 0], [5, 6, 0], [8, 9, 0]));
  });

  it('moves by every number of pixels up to the largest, each as often, also further than the image is wide', () => {
    const counts = new Map<string, number>();
    const dot = (n: number) => Float32Array.from({ length: 25 * n }, (_, i) => Number(i % 25 === 12));
    const moved = augment(dot(9000), [5, 5, 1], { augmentShift: 1 }, streams());
    for (let n = 0; n < 9000; n++) {
      const key = `${moved.subarray(25 * n, 25 * (n + 1)).indexOf(1)}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect([...counts.keys()].map(Number).sort((a, b) => a - b)).toEqual([6, 7, 8, 11, 12, 13, 16, 17, 18]);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(1000));
    expect(augment(dot(1), [5, 5, 1], { augmentShift: 64 }, given(128, 0))).toEqual(new Float32Array(25));
  });

  it('enlarges a window with bilinear interpolation', () => {
    const ramp = Float32Array.from({ length: 64 }, (_, p) => p % 8); // 0 … 7 from left to right
    // Half of the image is kept, from column 2 and row 0: pixel i of the result is at 2 + (i + ½)/2 − ½.
    const cropped = augment(ramp, [8, 8, 1], { augmentCrop: 0.5 }, given(1, 0, 0.5));
    for (let p = 0; p < 64; p++) expect(cropped[p]).toBeCloseTo(2 + ((p % 8) + 0.5) / 2 - 0.5, 6);
    const whole = augment(ramp, [8, 8, 1], { augmentCrop: 0.5 }, given(0, 0, 0));
    expect(whole).toEqual(ramp); // nothing is cut off
  });

  it('keeps pixels in [0, 1], and draws the same for one change whatever the others are', () => {
    const all = { augmentFlip: 'horizontal', augmentShift: 1, augmentCrop: 0.5 } as const;
    for (const pixel of augment(images, shape, all, streams())) {
      expect(pixel).toBeGreaterThanOrEqual(0);
      expect(pixel).toBeLessThanOrEqual(1);
    }
    const cropped = augment(images, shape, { augmentCrop: 0.5 }, streams());
    const shifted = augment(cropped, shape, { augmentShift: 1 }, streams());
    expect(augment(shifted, shape, { augmentFlip: 'horizontal' }, streams())).toEqual(
      augment(images, shape, all, streams()),
    );
    expect(augment(images, shape, all, streams(1))).not.toEqual(augment(images, shape, all, streams()));
  });
});

describe('a stage with augmentation', () => {
  const all = { augmentFlip: 'horizontal', augmentShift: 2, augmentCrop: 0.2 } as const;

  it.each(['cpu', 'wasm'] as const)(
    'gives the same bits again, also when it was interrupted: %s',
    async (backend) => {
      await openBackend(backend);
      const parent = await run(specOf('funn', 'initialise', 1, all));
      for (const kind of ['optimise', 'classify'] as const) {
        const spec = specOf('funn', kind, 2, all);
        const [whole, again] = [await run(spec, onto(parent)), await run(spec, onto(parent))];
        expect(whole.outcome).toEqual({ status: 'completed' });
        expect(again.hashes).toEqual(whole.hashes);
        const short = await run(specOf('funn', kind, 1, all), onto(parent));
        const further = await run(spec, continuing(short));
        expect(further.hashes.at(-1)).toBe(whole.hashes.at(-1));
        const plain = await run(specOf('funn', kind, 2), onto(parent));
        expect(plain.hashes.at(-1)).not.toBe(whole.hashes.at(-1));
      }
    },
  );

  it('trains on the same bits on cpu and wasm', async () => {
    const trained = [];
    for (const backend of ['cpu', 'wasm'] as const) {
      await openBackend(backend);
      trained.push(tf.tensor(augment(images, shape, all, streams()), [200, ...shape]).dataSync());
    }
    expect(trained[0]).toEqual(trained[1]);
  });
});
