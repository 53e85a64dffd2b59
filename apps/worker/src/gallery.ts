import type { Evaluation } from '@funnel/attacks';
import type { EvaluationWrite } from '@funnel/db';

/** Pictures kept of an evaluation: the first images that the attack fooled, then the first of the others. */
const maxPictures = 24;

const toBytes = (pixels: Float32Array): Uint8Array =>
  Uint8Array.from(pixels, (value) => Math.round(value * 255));

/** Some images before and after, as bytes. `images`: [n, …shape] in [0, 1], in the order of the evaluation's records. */
export const gallery = (
  { records, adversarials }: Evaluation,
  images: Float32Array,
  shape: readonly number[],
): EvaluationWrite['gallery'] => {
  const width = shape.reduce((a, b) => a * b, 1);
  const fooled = (wanted: boolean) =>
    records.index.flatMap((_, row) => (records.success[row] === wanted ? [row] : []));
  const rows = [...fooled(true), ...fooled(false)].slice(0, maxPictures).sort((a, b) => a - b);
  const pick = (values: Float32Array): Uint8Array => {
    const bytes = new Uint8Array(rows.length * width);
    for (const [i, row] of rows.entries())
      bytes.set(toBytes(values.subarray(row * width, (row + 1) * width)), i * width);
    return bytes;
  };
  return {
    shape,
    index: rows.map((row) => records.index[row]!),
    original: pick(images),
    attacked: pick(adversarials),
  };
};
