import type { ExtendedNumber } from '@funnel/contracts';

/** At most four significant digits; `∞` for infinity, `–` for what is not there. */
export const formatNumber = (extended: ExtendedNumber | null | undefined): string => {
  if (extended === null || extended === undefined) return '–';
  const value = Number(extended);
  if (value === Number.POSITIVE_INFINITY) return '∞';
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e4 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
};

/** A share in [0, 1] as per cent with one decimal. */
export const formatShare = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : `${(value * 100).toFixed(1)} %`;
