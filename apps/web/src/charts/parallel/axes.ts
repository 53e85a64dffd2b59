/** Axes of parallel coordinates: the position of a value between bottom (0) and top (1), the ticks, and the brushes. */
import { formatHyperparameter, formatNumber } from '../../format.ts';

type AxisValue = number | string | boolean | null;

export type AxisSpec = {
  readonly key: string;
  readonly title: string;
  readonly scale: 'linear' | 'log';
  /** One per row; null where a row has no value. */
  readonly values: readonly AxisValue[];
  readonly format?: (value: number) => string;
};

type Tick = { readonly at: number; readonly label: string };

export type Axis = {
  readonly key: string;
  readonly title: string;
  /** No two of them read the same. */
  readonly ticks: readonly Tick[];
  /** Some rows have no value. They are drawn below the axis. */
  readonly gaps: boolean;
  /** The axis has few values. Rows are spread a little around each, to show how many there are. */
  readonly discrete: boolean;
  readonly position: (value: AxisValue) => number | null;
  /** The value at a position, as text. */
  readonly labelAt: (at: number) => string;
};

const fewValues = 6;

const niceStep = (span: number, count: number): number => {
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * ([1, 2, 5, 10].find((m) => m * power >= raw) ?? 10);
};

/** About five round values in [low, high]. */
export const niceTicks = (low: number, high: number, log: boolean): number[] => {
  if (log) {
    const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
    const every = Math.max(1, Math.ceil((last - first) / 5));
    const ticks = [];
    for (let power = first; power <= last; power += every) ticks.push(10 ** power);
    return ticks.length >= 2 ? ticks : [low, high];
  }
  const step = niceStep(high - low, 4);
  const ticks = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + 1e-9 * step; value += step)
    ticks.push(Number(value.toPrecision(12)));
  return ticks;
};

/** The labels of two ticks that are closer overlap on a low chart. */
const minTickGap = 0.07;

/** Of several ticks that read the same after rounding, the first. Of several that are too close, the first; but the last tick is always kept. */
const legibleTicks = (ticks: readonly Tick[]): Tick[] => {
  const distinct = ticks.filter(({ label }, i) => ticks.findIndex((other) => other.label === label) === i);
  const last = distinct.at(-1)!;
  const kept: Tick[] = [];
  for (const tick of distinct) {
    const isFree = tick.at - (kept.at(-1)?.at ?? -1) >= minTickGap && last.at - tick.at >= minTickGap;
    if (isFree || tick === last) kept.push(tick);
  }
  return kept;
};

/** The share of the axis for finite values when others are infinite. Infinity is at the top. */
const finiteShare = 0.88;

/** `distinct` is in ascending order; the last value may be infinite. */
const numericAxis = (spec: AxisSpec, distinct: readonly number[]): Axis => {
  const format = spec.format ?? formatNumber;
  const infinite = distinct.at(-1) === Number.POSITIVE_INFINITY;
  const finite = infinite ? distinct.slice(0, -1) : distinct;
  const finiteTop = infinite ? finiteShare : 1;
  const [low, high] = [finite[0] ?? 0, finite.at(-1) ?? 0];
  const log = spec.scale === 'log' && low > 0;
  const forward = log ? Math.log10 : (value: number) => value;
  const backward = log ? (value: number) => 10 ** value : (value: number) => value;
  const [from, span] = [forward(low), forward(high) - forward(low)];
  const position = (value: number) => {
    if (value === Number.POSITIVE_INFINITY) return 1;
    return span === 0 ? 0.5 : finiteTop * ((forward(value) - from) / span);
  };
  const hasFewValues = distinct.length <= fewValues;
  const ticks = hasFewValues
    ? distinct
    : [...niceTicks(low, high, log), ...(infinite ? [Number.POSITIVE_INFINITY] : [])];
  return {
    key: spec.key,
    title: spec.title,
    gaps: spec.values.includes(null),
    discrete: distinct.length <= 12,
    ticks: legibleTicks(ticks.map((value) => ({ at: position(value), label: format(value) }))),
    position: (value) => (typeof value === 'number' ? position(value) : null),
    labelAt: (at) => {
      if (at > finiteTop) return format(Number.POSITIVE_INFINITY);
      return format(backward(from + (at / finiteTop) * span));
    },
  };
};

const categoryAxis = (spec: AxisSpec, distinct: readonly AxisValue[]): Axis => {
  const place = new Map(distinct.map((value, i) => [value, (i + 0.5) / distinct.length]));
  return {
    key: spec.key,
    title: spec.title,
    gaps: spec.values.includes(null),
    discrete: true,
    ticks: distinct.map((value) => ({ at: place.get(value)!, label: formatHyperparameter(value) })),
    position: (value) => place.get(value) ?? null,
    labelAt: (at) =>
      formatHyperparameter(
        distinct[Math.max(0, Math.min(distinct.length - 1, Math.floor(at * distinct.length)))],
      ),
  };
};

export const createAxis = (spec: AxisSpec): Axis => {
  const distinct = [...new Set(spec.values.filter((value) => value !== null))];
  const numbers = distinct.filter((value) => typeof value === 'number').sort((a, b) => a - b);
  if (numbers.length > 0 && numbers.length === distinct.length) return numericAxis(spec, numbers);
  return categoryAxis(
    spec,
    distinct.sort((a, b) => (String(a) < String(b) ? -1 : 1)),
  );
};

/** Brushes by axis key: an interval in [0, 1], both ends included. */
export type Brushes = ReadonlyMap<string, readonly [number, number]>;

/** 1 for rows within every brush, else 0. A row without a value on a brushed axis is outside. */
export const brushedRows = (
  axes: readonly Axis[],
  specs: readonly AxisSpec[],
  brushes: Brushes,
): Uint8Array => {
  const rows = new Uint8Array(specs[0]?.values.length ?? 0).fill(1);
  for (const [a, axis] of axes.entries()) {
    const brush = brushes.get(axis.key);
    if (!brush) continue;
    for (let i = 0; i < rows.length; i++) {
      const at = axis.position(specs[a]!.values[i]!);
      if (at === null || at < brush[0] - 1e-9 || at > brush[1] + 1e-9) rows[i] = 0;
    }
  }
  return rows;
};
