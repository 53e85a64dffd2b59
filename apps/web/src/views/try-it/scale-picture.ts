/** Turns a picture of any size into an image like those of a data set. */

type Picture = {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and alpha of each pixel, 0 to 255, row by row. */
  readonly data: ArrayLike<number>;
};

type Shape = readonly [height: number, width: number, channels: number];

/** The pixels of a row or column that a pixel of the image covers, and how much of each. */
type Covered = { readonly first: number; readonly weights: readonly number[] };

/** For each of `count` neighbouring intervals of the length `step` from `start`: the units that it covers, with weights that sum to 1. */
const cover = (count: number, start: number, step: number): readonly Covered[] =>
  Array.from({ length: count }, (_, i) => {
    const [from, to] = [start + i * step, start + (i + 1) * step];
    const first = Math.floor(from);
    const units = Math.max(1, Math.ceil(to) - first);
    const weights = Array.from({ length: units }, (_, unit) => {
      const low = Math.max(from, first + unit);
      return Math.max(0, Math.min(to, first + unit + 1) - low) / step;
    });
    return { first, weights };
  });

/** The weights of red, green and blue for grey (ITU-R BT.601), as `funnel data add` has them. */
const [redWeight, greenWeight, blueWeight] = [0.299, 0.587, 0.114] as const;

/** The channels of an image from red, green and blue: one for grey, else three. */
const channelsOf = (red: number, green: number, blue: number, channels: number): readonly number[] =>
  channels === 1 ? [redWeight * red + greenWeight * green + blueWeight * blue] : [red, green, blue];

/**
 * The picture in `shape`, which has 1 or 3 channels: [height × width × channels], whole numbers over 255. As with `funnel data add --size`, the
 * picture covers the image, and what sticks out on two sides is cut off. Each pixel is the mean of the area that it covers.
 */
export const scalePicture = ({ width, height, data }: Picture, shape: Shape): Float32Array => {
  const [rows, columns, channels] = shape;
  const step = Math.min(width / columns, height / rows); // pixels of the picture per pixel of the image
  const across = cover(columns, (width - step * columns) / 2, step);
  const down = cover(rows, (height - step * rows) / 2, step);
  const image = new Float32Array(rows * columns * channels);
  let at = 0;
  for (const y of down)
    for (const x of across) {
      const sum = [0, 0, 0] as [number, number, number];
      for (const [v, rowWeight] of y.weights.entries())
        for (const [u, weight] of x.weights.entries()) {
          // An interval may end a rounding error beyond the picture.
          const row = Math.min(height - 1, y.first + v);
          const pixel = 4 * (row * width + Math.min(width - 1, x.first + u));
          for (const c of [0, 1, 2] as const) sum[c] += rowWeight * weight * data[pixel + c]!;
        }
      for (const value of channelsOf(...sum, channels)) image[at++] = Math.round(value) / 255;
    }
  return image;
};
