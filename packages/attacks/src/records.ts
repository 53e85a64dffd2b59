/** Per-image results, filled in as batches finish. */
import type { EvaluationRecords } from '@funnel/contracts';
import type { Distances } from './norms.ts';

/** As if no image had been attacked yet. `clean[i]` is the class that the model gives to image i. */
export const createRecords = (
  indices: readonly number[],
  labels: Int32Array,
  clean: Int32Array,
): EvaluationRecords => ({
  index: [...indices],
  label: [...labels],
  correct: Array.from(labels, (label, i) => clean[i] === label),
  predicted: [...clean],
  success: Array.from(labels, () => false),
  l2: Array.from(labels, () => null),
  linf: Array.from(labels, () => null),
  l0: Array.from(labels, () => null),
  steps: Array.from(labels, () => 0),
  queries: Array.from(labels, () => 0),
});

export const recordSuccess = (
  records: EvaluationRecords,
  image: number,
  predicted: number,
  { l2, linf, l0 }: Distances,
): void => {
  records.predicted[image] = predicted;
  records.success[image] = true;
  records.l2[image] = l2;
  records.linf[image] = linf;
  records.l0[image] = l0;
};
