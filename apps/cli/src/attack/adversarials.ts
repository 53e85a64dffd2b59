/** The file of `--adversarials`: the images that fooled the model, in numpy's format. */
import { renameSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { ClassifierModel, Evaluation } from '@funnel/attacks';
import { makeFolder } from '@funnel/contracts/make-folder';
import { Exit, exitCodes } from '../exit.ts';
import { checkOut } from '../output/out-file.ts';
import { createNpy } from './npy.ts';

/** As `checkOut`, for the file of the adversarials. `others`: the files that other options name. */
export const checkAdversarials = (
  file: string | undefined,
  others: readonly (string | undefined)[],
): string | null => {
  if (file === undefined) return null;
  const made = checkOut(file, '--adversarials');
  const isTaken = others.some((other) => other !== undefined && resolve(other) === resolve(file));
  const isOrdinary = statSync(file, { throwIfNoEntry: false })?.isFile() ?? true;
  if (isTaken || !isOrdinary)
    throw new Exit(
      exitCodes.usage,
      `Expected a file of its own after --adversarials, but ${file} ${isTaken ? 'is also the file of another option' : 'is a pipe or a device'}`,
    );
  return made;
};

/** Writes the adversarials of an evaluation. Returns the row of each image in the file; null for an image that was not fooled. */
export type Append = (
  evaluation: Pick<Evaluation, 'records' | 'adversarials'>,
) => readonly (number | null)[] | undefined;

/**
 * Adversarials as float32 `[n, ...shape]` in [0, 1], whatever the bounds of the model: what `--images` reads, and the scale of distances.
 * They lie in a file beside `file`, which replaces `file` when `use` has ended. Without a file nothing is written.
 */
export const withAdversarials = async <Result>(
  file: string | undefined,
  { shape, bounds: [low, high] }: Pick<ClassifierModel, 'shape' | 'bounds'>,
  use: (append: Append) => Promise<Result>,
): Promise<Result> => {
  if (file === undefined) return use(() => undefined);
  const part = `${file}.${process.pid}.part`;
  makeFolder(dirname(file));
  const npy = createNpy(part, shape);
  const width = shape.reduce((product, size) => product * size, 1);
  const toUnit = (values: Float32Array): Float32Array =>
    low === 0 && high === 1 ? values : values.map((value) => (value - low) / (high - low));
  try {
    const result = await use(({ records, adversarials }) => {
      const first = npy.rows();
      const fooled = records.success.flatMap((success, image) => (success ? [image] : []));
      const values = new Float32Array(fooled.length * width);
      fooled.forEach((image, row) => {
        values.set(toUnit(adversarials.subarray(image * width, (image + 1) * width)), row * width);
      });
      npy.append(values);
      const rowOf = new Map(fooled.map((image, row) => [image, first + row]));
      return records.success.map((_, image) => rowOf.get(image) ?? null);
    });
    renameSync(part, file);
    return result;
  } finally {
    npy.close();
    rmSync(part, { force: true });
  }
};
