/** 97.5th percentile of the standard normal distribution. */
const z = 1.959963984540054;

/** 95 % Wilson score interval of a share (Wilson 1927): `successes` of `n`, as [low, high] in [0, 1]. `n` = 0 knows nothing. */
export const wilson = (successes: number, n: number): readonly [number, number] => {
  if (n === 0) return [0, 1];
  const p = successes / n;
  const centre = p + (z * z) / (2 * n);
  const spread = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  const scale = 1 + (z * z) / n;
  return [Math.max(0, (centre - spread) / scale), Math.min(1, (centre + spread) / scale)];
};
