/** The range that the form proposes for a hyperparameter: around its default, within its bounds. */
import type { NumericHyperparameter } from '@funnel/contracts';

/** A factor on either side of the default: a power of ten on a logarithmic scale, two on a linear one. */
const factors = { log: 10, linear: 2 } as const;

const rounded = (value: number): number => Number(value.toPrecision(3));

export const usualRange = ({
  kind,
  bounds,
  default: usual,
  scale,
}: NumericHyperparameter): { readonly min: number; readonly max: number } => {
  const factor = factors[scale];
  const lowest = 'above' in bounds ? bounds.above : bounds.min;
  const fit = (value: number): number => {
    const whole = kind === 'whole' ? Math.round(value) : rounded(value);
    return Math.min(bounds.max, Math.max(lowest, whole));
  };
  // Zero has no neighbours by a factor: whole numbers begin at 0 to 4, shares at 0 to a fifth of what is possible.
  if (usual === 0) return { min: fit(0), max: kind === 'whole' ? fit(4) : fit(Math.min(1, bounds.max / 5)) };
  const [min, max] = [fit(usual / factor), fit(usual * factor)];
  return min < max ? { min, max } : { min: fit(lowest), max: bounds.max };
};
