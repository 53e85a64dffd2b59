import { expect, it } from 'vitest';
import { paint } from '../../src/components/pixels.tsx';

/** Red, green, blue and alpha of each pixel of a row. */
const painted = (pixels: readonly number[], channels: number, mode: 'gray' | 'difference'): number[][] => {
  const data = new Uint8ClampedArray((4 * pixels.length) / channels);
  paint(data, Float32Array.from(pixels), channels, mode);
  return Array.from({ length: data.length / 4 }, (_, p) => [...data.subarray(4 * p, 4 * p + 4)]);
};

const [darker, brighter] = [
  [0, 114, 178],
  [230, 159, 0],
];

it('paints grey values in all three colours, and colours as they are', () => {
  expect(painted([0, 1], 1, 'gray')).toEqual([
    [0, 0, 0, 255],
    [255, 255, 255, 255],
  ]);
  expect(painted([1, 0, 0.2], 3, 'gray')).toEqual([[255, 0, 51, 255]]);
});

it('paints the largest change with full strength, darker pixels blue and brighter ones orange', () => {
  expect(painted([-0.2, 0.1, 0], 1, 'difference')).toEqual([
    [...darker!, 255],
    [...brighter!, 128],
    [...brighter!, 0],
  ]);
});

it('paints a change of any channel of a colour', () => {
  const [onlyBlue, mixed, none] = painted([0, 0, 0.4, 0.1, -0.2, 0, 0, 0, 0], 3, 'difference');
  expect(onlyBlue).toEqual([...brighter!, 255]);
  expect(mixed).toEqual([...darker!, 128]);
  expect(none![3]).toBe(0);
});
