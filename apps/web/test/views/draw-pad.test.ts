import { describe, expect, it } from 'vitest';
import { centerDrawing } from '../../src/views/try-it/draw-pad.tsx';

/** A filled rectangle in a drawing of 112 × 112. */
const rectangle = (x0: number, y0: number, width: number, height: number): Float32Array =>
  Float32Array.from({ length: 112 * 112 }, (_, i) => {
    const [x, y] = [i % 112, Math.floor(i / 112)];
    return x >= x0 && x < x0 + width && y >= y0 && y < y0 + height ? 1 : 0;
  });

const centred = (ink: Float32Array) => centerDrawing(ink, 112, 112);

const mass = (image: Float32Array) => {
  let [sum, x, y] = [0, 0, 0];
  for (const [i, value] of image.entries()) {
    sum += value;
    x += value * ((i % 28) + 0.5);
    y += value * (Math.floor(i / 28) + 0.5);
  }
  return { sum, x: x / sum, y: y / sum };
};

describe('a centred drawing', () => {
  it('does not depend on where it was drawn', () => {
    const left = centred(rectangle(4, 10, 20, 60));
    const right = centred(rectangle(80, 40, 20, 60));
    for (const [i, value] of left.entries()) expect(value).toBeCloseTo(right[i]!, 5);
  });

  it('is twenty pixels high or wide at any original size', () => {
    for (const height of [40, 80]) {
      const image = centred(rectangle(20, 10, height / 2, height));
      // 20 high and 10 wide: an area of 200.
      expect(mass(image).sum).toBeCloseTo(200, -1);
    }
  });

  it('has its centre of mass in the middle', () => {
    const foot = rectangle(20, 80, 60, 10);
    const ink = rectangle(20, 10, 10, 80).map((value, i) => Math.max(value, foot[i]!));
    const { x, y } = mass(centred(ink));
    expect(x).toBeCloseTo(14, 0);
    expect(y).toBeCloseTo(14, 0);
  });

  it('is empty for an empty drawing', () => {
    expect(centred(new Float32Array(112 * 112)).every((value) => value === 0)).toBe(true);
  });
});
