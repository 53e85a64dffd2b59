/** The figure of `bench real-search`: the best value so far over the trainers' seconds; of each arm the median and the range of its seeds. */
import type { EndedTrial } from './measure-real-search.ts';
import { median } from './timing.ts';

export type Arm = 'hyperband' | 'random';

/** The trials of one seed, in the order in which they ended. */
export type Curve = { readonly arm: Arm; readonly trials: readonly EndedTrial[] };

/** Of all seeds of an arm, after so many seconds of each. */
export type Summary = {
  readonly arm: Arm;
  readonly seconds: number;
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
};

/** The greatest value of the trials that have ended by then; null before the first one. */
export const bestAt = (trials: readonly EndedTrial[], seconds: number): number | null =>
  trials.reduce<number | null>(
    (best, trial) =>
      trial.value === null || trial.seconds > seconds ? best : Math.max(best ?? trial.value, trial.value),
    null,
  );

/** Null until every seed has a value. */
const summaryAt = (arm: Arm, curves: readonly Curve[], seconds: number): Summary | null => {
  const best = curves.map(({ trials }) => bestAt(trials, seconds));
  const values = best.filter((value) => value !== null);
  if (values.length < best.length) return null;
  return {
    ...{ arm, seconds, median: median(values) },
    ...{ least: Math.min(...values), greatest: Math.max(...values) },
  };
};

const armsOf = (curves: readonly Curve[]): readonly Arm[] => [...new Set(curves.map(({ arm }) => arm))];

/** The end of the shortest run: until then every run has gone on. */
const endOf = (curves: readonly Curve[]): number =>
  Math.min(...curves.map(({ trials }) => trials.at(-1)?.seconds ?? 0));

const summariesOf = (curves: readonly Curve[], arm: Arm): readonly Summary[] => {
  const own = curves.filter((curve) => curve.arm === arm);
  const end = endOf(curves);
  const times = own.flatMap(({ trials }) => trials.map(({ seconds }) => seconds));
  return [...new Set([...times.filter((seconds) => seconds < end), end])]
    .sort((a, b) => a - b)
    .flatMap((seconds) => summaryAt(arm, own, seconds) ?? []);
};

/** Each arm at a quarter, at half and at the whole of the time that all runs have. */
export const summarise = (curves: readonly Curve[]): readonly Summary[] =>
  [1 / 4, 1 / 2, 1].flatMap((share) =>
    armsOf(curves).flatMap(
      (arm) =>
        summaryAt(
          arm,
          curves.filter((curve) => curve.arm === arm),
          share * endOf(curves),
        ) ?? [],
    ),
  );

const [width, height] = [720, 380];
const frame = { left: 64, right: 150, top: 20, bottom: 52 };
const looks: Readonly<Record<Arm, { readonly colour: string; readonly title: string }>> = {
  hyperband: { colour: '#0b5fa5', title: 'Hyperband, TPE' },
  random: { colour: '#b4511d', title: 'random search' },
};

/** Whole steps of 1, 2 or 5 times a power of ten, about five of them. */
const ticksOf = (low: number, high: number): readonly number[] => {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough)!;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => (first + i) * step);
};

const text = (x: number, y: number, words: string, attributes = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${words}</text>`;

/** A line that keeps its height until the next point. */
const stepsOf = (points: readonly (readonly [x: number, y: number])[]): string =>
  points
    .map(([x, y], i) => (i === 0 ? `M${x.toFixed(1)} ${y.toFixed(1)}` : `H${x.toFixed(1)}V${y.toFixed(1)}`))
    .join('');

/** An SVG with its own white background. */
export const drawSearches = (curves: readonly Curve[]): string => {
  const end = endOf(curves);
  const arms = armsOf(curves).map((arm) => ({ arm, summaries: summariesOf(curves, arm) }));
  const all = arms.flatMap(({ summaries }) => summaries);
  const low = Math.min(...all.map(({ least }) => least));
  const high = Math.max(...all.map(({ greatest }) => greatest));
  const margin = Math.max(0.01, 0.05 * (high - low));
  const [bottom, top] = [low - margin, high + margin];
  const x = (seconds: number): number => frame.left + (seconds / end) * (width - frame.left - frame.right);
  const y = (value: number): number =>
    height - frame.bottom - ((value - bottom) / (top - bottom)) * (height - frame.top - frame.bottom);
  const axes = [
    ...ticksOf(bottom, top).flatMap((value) => [
      `<path d="M${frame.left} ${y(value).toFixed(1)}H${x(end).toFixed(1)}" stroke="#dddddd"/>`,
      text(frame.left - 8, y(value) + 4, `${(100 * value).toFixed(0)} %`, 'text-anchor="end"'),
    ]),
    ...ticksOf(0, end).map((value) =>
      text(x(value), height - frame.bottom + 18, String(value), 'text-anchor="middle"'),
    ),
    text((frame.left + x(end)) / 2, height - 12, 'CPU seconds of the trainers', 'text-anchor="middle"'),
    text(
      0,
      0,
      'best robust accuracy so far',
      `text-anchor="middle" transform="translate(16 ${(height - frame.bottom) / 2}) rotate(-90)"`,
    ),
  ];
  const lines = arms.flatMap(({ arm, summaries }) => {
    const { colour, title } = looks[arm];
    const line = (of: 'median' | 'least' | 'greatest'): string =>
      stepsOf(summaries.map((each) => [x(each.seconds), y(each[of])]));
    return [
      `<path d="${line('median')}" fill="none" stroke="${colour}" stroke-width="2.5"/>`,
      ...(['least', 'greatest'] as const).map(
        (of) => `<path d="${line(of)}" fill="none" stroke="${colour}" stroke-dasharray="2 4"/>`,
      ),
      text(x(end) + 8, y(summaries.at(-1)!.median) + 4, title, `fill="${colour}"`),
    ];
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13" role="img">`,
    '<title>Best robust accuracy over the CPU seconds of the trainers; solid: median, dotted: range of the seeds</title>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...axes,
    ...lines,
    '</svg>',
  ].join('\n')}\n`;
};
