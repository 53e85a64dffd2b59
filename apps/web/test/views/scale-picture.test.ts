import { expect, it } from 'vitest';
import { scalePicture } from '../../src/views/try-it/scale-picture.ts';

type Colour = readonly [red: number, green: number, blue: number];

const grey = (value: number): Colour => [value, value, value];

/** A picture of these rows of colours, opaque. */
const pictureOf = (rows: readonly (readonly Colour[])[]) => ({
  width: rows[0]!.length,
  height: rows.length,
  data: Uint8ClampedArray.from(rows.flat().flatMap((colour) => [...colour, 255])),
});

/** The values of an image as whole numbers. */
const bytes = (image: Float32Array): number[] => [...image].map((value) => Math.round(255 * value));

const [red, lime, blue]: readonly Colour[] = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
];

it('keeps every pixel of a picture that has the size of the images', () => {
  const picture = pictureOf([
    [red!, lime!],
    [blue!, [1, 2, 3]],
    [grey(7), grey(254)],
  ]);
  const expected = [255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3, 7, 7, 7, 254, 254, 254];
  expect(scalePicture(picture, [3, 2, 3])).toEqual(Float32Array.from(expected, (byte) => byte / 255));
});

it('makes grey of colours with the weights of ITU-R BT.601', () => {
  const picture = pictureOf([[red!, lime!, blue!, grey(200)]]);
  expect(bytes(scalePicture(picture, [1, 4, 1]))).toEqual([76, 150, 29, 200]);
});

it('takes the mean of the area of each pixel', () => {
  const picture = pictureOf([
    [grey(0), grey(10)],
    [grey(20), grey(90)],
  ]);
  expect(bytes(scalePicture(picture, [1, 1, 1]))).toEqual([30]);
  // Each pixel covers one and a half: (0 + 90 / 2) / 1.5 and (90 / 2 + 255) / 1.5.
  const three = [grey(0), grey(90), grey(255)];
  expect(bytes(scalePicture(pictureOf([three, three, three]), [2, 2, 1]))).toEqual([30, 200, 30, 200]);
});

it('enlarges a small picture', () => {
  const picture = pictureOf([
    [grey(0), grey(90)],
    [grey(90), grey(0)],
  ]);
  expect(bytes(scalePicture(picture, [3, 3, 1]))).toEqual([0, 45, 90, 45, 45, 45, 90, 45, 0]);
});

it('cuts off what sticks out on two sides', () => {
  const wide = pictureOf([[grey(1), grey(2), grey(3), grey(4)]]);
  expect(bytes(scalePicture(wide, [1, 2, 1]))).toEqual([2, 3]);
  const high = pictureOf([[grey(1)], [grey(2)], [grey(3)]]);
  expect(bytes(scalePicture(high, [1, 1, 3]))).toEqual([2, 2, 2]);
});

it.each([
  [37, 53],
  [64, 48],
  [1, 200],
  [333, 1],
])('keeps one colour, for every size: %i × %i', (width, height) => {
  const picture = pictureOf(
    Array.from({ length: height }, () => new Array<Colour>(width).fill([9, 130, 251])),
  );
  for (const shape of [
    [28, 28],
    [32, 32],
    [30, 45],
    [7, 64],
  ] as const)
    expect(new Set(bytes(scalePicture(picture, [...shape, 3])))).toEqual(new Set([9, 130, 251]));
});
