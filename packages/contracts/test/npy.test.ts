import { describe, expect, it } from 'vitest';
import { byteOfFloat } from '../src/index.ts';

describe('a pixel as a float', () => {
  it('is a byte for every k/255 and its float32', () => {
    for (let k = 0; k <= 255; k++) {
      expect(byteOfFloat(k / 255)).toBe(k);
      expect(byteOfFloat(Math.fround(k / 255))).toBe(k);
    }
    expect(byteOfFloat((128 + 0.9e-3) / 255)).toBe(128);
  });

  it.each([(128 + 1.1e-3) / 255, 0.5, 256 / 255, -1 / 255, 255, Number.NaN, Number.POSITIVE_INFINITY])(
    '%d is none',
    (value) => {
      expect(byteOfFloat(value)).toBeNull();
    },
  );
});
