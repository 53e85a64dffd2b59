/** Images and labels of the user in two NPY files. */
import { layoutOf, refuseFile, shapeText, sizeOf } from '@funnel/datasets';
import type { ImageSource } from './images.ts';
import { type NpyFile, openNpy, readRows } from './npy.ts';

/** A gigabyte of float32: more than any backend attacks at once. */
export const maxValues = 2 ** 28;

/** Throws DatasetFault if the images together have more values than fit into memory. */
export const checkSize = (path: string, images: number, shape: readonly number[]): void => {
  if (images * sizeOf(shape) > maxValues)
    refuseFile(
      path,
      `expected at most ${maxValues} values, but got ${images} images of ${shapeText(shape)}: choose fewer with --indices`,
    );
};

/** `[n, channels, height, width]` → `[n, height, width, channels]` */
const channelsLast = (values: Float32Array, [height, width, channels]: readonly number[]): Float32Array => {
  const size = height! * width! * channels!;
  const pixels = height! * width!;
  return values.map((_, i) => {
    const [image, at] = [Math.floor(i / size), i % size];
    return values[image * size + (at % channels!) * pixels + Math.floor(at / channels!)]!;
  });
};

/** Bytes are on the scale of 0 to 255; floats must lie in [0, 1]. */
const toUnit = (file: NpyFile, values: Float32Array, indices: readonly number[]): Float32Array => {
  if (!file.isFloat) return values.map((byte) => byte / 255);
  const bad = values.findIndex((value) => !(value >= 0 && value <= 1)); // true for NaN
  if (bad >= 0)
    refuseFile(
      file.path,
      `expected floats from 0 (black) to 1 (white), but got ${values[bad]} in image ${indices[Math.floor((bad * indices.length) / values.length)]}: save uint8, or floats in [0, 1]; --bounds says which values the model takes`,
    );
  return values;
};

const openLabels = (path: string, count: number): NpyFile => {
  const labels = openNpy(path);
  const [rows, ...rest] = labels.shape;
  if (sizeOf(rest) !== 1)
    refuseFile(
      path,
      `expected one label per image, [${count}], but got ${shapeText(labels.shape)}: np.argmax(Y, axis=1) turns one-hot rows into labels`,
    );
  if (labels.isFloat)
    refuseFile(path, "expected labels that are whole numbers, but got floats: save Y.astype('int64')");
  if (rows !== count) refuseFile(path, `expected ${count} labels, one per image, but got ${rows}`);
  return labels;
};

/** Opens both files and checks that they fit together. Throws DatasetFault if not. */
export const npyImages = (
  imagesPath: string,
  labelsPath: string,
  choose: (count: number) => readonly number[],
): ImageSource => {
  const images = openNpy(imagesPath);
  const [count = 0, ...shape] = images.shape;
  if (count === 0 || sizeOf(shape) === 0)
    refuseFile(imagesPath, `expected images, but got none: its shape is ${shapeText(images.shape)}`);
  if (!images.isFloat && images.type !== '|u1')
    refuseFile(
      imagesPath,
      `expected uint8 (0 to 255), float32 or float64 (0 to 1), but got ${images.type}: save X.astype('uint8')`,
    );
  const { image, isChannelsFirst } = layoutOf(imagesPath, shape);
  const labels = openLabels(labelsPath, count);
  const indices = choose(count);
  checkSize(imagesPath, indices.length, shape);
  return {
    description: { images: imagesPath, labels: labelsPath },
    count,
    indices,
    shapes: [image],
    read: async () => {
      const values = new Float32Array(indices.length * sizeOf(shape));
      readRows(images, indices, values);
      const unit = toUnit(images, values, indices);
      const classes = new Float64Array(indices.length);
      readRows(labels, indices, classes);
      return { images: isChannelsFirst ? channelsLast(unit, image) : unit, labels: [...classes] };
    },
  };
};
