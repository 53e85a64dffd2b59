/** At most four significant digits; `–` for what is not there. */
export const formatNumber = (value: number | null | undefined): string => {
  if (value === null || value === undefined) return '–';
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e4 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
};

/** A share in [0, 1] as per cent with one decimal. */
export const formatShare = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : `${(value * 100).toFixed(1)} %`;
