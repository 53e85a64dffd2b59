/** Elements of arrays as bytes of pixels, and as labels. */
import { byteOfFloat, npyElements } from '@funnel/contracts';
import { refuseFile } from '../fault.ts';
import type { NpyArray } from './header.ts';

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const refuseFloat = (path: string, value: number, place: string): never => {
  if (!Number.isFinite(value))
    return refuseFile(
      path,
      `expected floats from 0 (black) to 1 (white), but got ${value} in ${place}: leave such images out, or save np.nan_to_num(X) if 0 is right for your data`,
    );
  return refuseFile(
    path,
    value >= 0 && value <= 1
      ? `expected floats k/255 with whole k, but got ${value} in ${place}, which is ${(value * 255).toFixed(3)}/255: bytes cannot hold it; save np.round(X * 255).astype('uint8') if rounding is right for your data`
      : `expected floats from 0 (black) to 1 (white), but got ${value} in ${place}: scale them, or save np.round(X).astype('uint8') if they are on the scale of 0 to 255`,
  );
};

/**
 * Elements → bytes, 255 stands for 1. Whole numbers must lie in 0 … 255. Floats must lie in [0, 1], each times 255 whole.
 * `first`: the index of the first element in the array; an image has `perImage` of them.
 */
export const toPixels = (
  path: string,
  { type, isFloat }: NpyArray,
  elements: Uint8Array,
  first: number,
  perImage: number,
): Uint8Array => {
  if (type === '|u1') return elements;
  const { bytes, read } = npyElements[type]!;
  const view = viewOf(elements);
  const pixels = new Uint8Array(elements.length / bytes);
  for (let i = 0; i < pixels.length; i++) {
    const value = read(view, i * bytes);
    const pixel = isFloat ? byteOfFloat(value) : value;
    if (pixel === null || pixel < 0 || pixel > 255) {
      const place = `image ${Math.floor((first + i) / perImage)}`;
      if (isFloat) refuseFloat(path, value, place);
      refuseFile(path, `expected whole numbers from 0 to 255, but got ${value} in ${place}`);
    } else pixels[i] = pixel;
  }
  return pixels;
};

/** Elements → whole numbers. */
export const toLabels = ({ type }: NpyArray, elements: Uint8Array): number[] => {
  const { bytes, read } = npyElements[type]!;
  const view = viewOf(elements);
  return Array.from({ length: elements.length / bytes }, (_, i) => read(view, i * bytes));
};
