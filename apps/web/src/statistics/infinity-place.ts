/** Where infinity is drawn on a linear axis: apart from the finite values, beyond the greatest of them. */
export type InfinityPlace = {
  /** The least and the greatest finite value. */
  readonly low: number;
  readonly high: number;
  /** Where ∞ is drawn; null where no value is infinite. */
  readonly infinity: number | null;
};

/** Of the span of the finite values, how far beyond them. */
const gap = 1 / 6;

/** Null without values. */
export const infinityPlace = (values: Iterable<number>): InfinityPlace | null => {
  let [low, high, infinite] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, false];
  for (const value of values)
    if (value === Number.POSITIVE_INFINITY) infinite = true;
    else {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  if (low > high) return infinite ? { low: 0, high: 0, infinity: 1 } : null;
  const span = high - low || Math.abs(high) || 1;
  return { low, high, infinity: infinite ? high + gap * span : null };
};

/** The values as they are drawn. */
export const drawnAt = (value: number, place: InfinityPlace | null): number =>
  value === Number.POSITIVE_INFINITY ? (place?.infinity ?? value) : value;
