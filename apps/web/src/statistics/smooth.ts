/** Smoothing of training curves, as TensorBoard and W&B do it. */

/**
 * The exponential moving average with this weight of the past, from 0 (no smoothing) to below 1. The average starts without a bias towards
 * zero (Kingma & Ba 2015, section 3). A missing value stays missing, and does not count.
 */
export const smooth = (values: readonly (number | null)[], weight: number): (number | null)[] => {
  let [sum, mass] = [0, 0];
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return value;
    sum = weight * sum + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return sum / mass;
  });
};
