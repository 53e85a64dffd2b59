/** The figure of `bench real-search`: the best value so far over the trainers' seconds; of each arm the median and the range of its seeds. */
import { drawing, scaleOf, text, ticksOf, uprightText } from '@funnel/figures';
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
const frame = { left: 64, right: 24, top: 20, bottom: 52 };
/** The lower right corner, which no curve of a search reaches. */
const legend = { left: 540, top: 270, step: 22 };
const looks: Readonly<Record<Arm, { readonly colour: string; readonly title: string }>> = {
  hyperband: { colour: 'var(--blue)', title: 'Hyperband, TPE' },
  random: { colour: 'var(--orange)', title: 'random search' },
};

/** A line that keeps its height until the next point. */
const stepsOf = (points: readonly (readonly [x: number, y: number])[]): string =>
  points
    .map(([x, y], i) => (i === 0 ? `M${x.toFixed(1)} ${y.toFixed(1)}` : `H${x.toFixed(1)}V${y.toFixed(1)}`))
    .join('');

export const drawSearches = (curves: readonly Curve[]): string => {
  const end = endOf(curves);
  const arms = armsOf(curves).map((arm) => ({ arm, summaries: summariesOf(curves, arm) }));
  const all = arms.flatMap(({ summaries }) => summaries);
  const low = Math.min(...all.map(({ least }) => least));
  const high = Math.max(...all.map(({ greatest }) => greatest));
  const margin = Math.max(0.01, 0.05 * (high - low));
  const [bottom, top] = [low - margin, high + margin];
  const x = scaleOf([0, end], [frame.left, width - frame.right]);
  const y = scaleOf([bottom, top], [height - frame.bottom, frame.top]);
  const axes = [
    ...ticksOf(bottom, top).flatMap((value) => [
      `<path d="M${frame.left} ${y(value).toFixed(1)}H${x(end).toFixed(1)}" stroke="var(--grid)"/>`,
      text(frame.left - 8, y(value) + 4, `${(100 * value).toFixed(0)} %`, 'text-anchor="end"'),
    ]),
    ...ticksOf(0, end).map((value) =>
      text(x(value), height - frame.bottom + 18, String(value), 'text-anchor="middle"'),
    ),
    text((frame.left + x(end)) / 2, height - 12, 'CPU seconds of the trainers', 'text-anchor="middle"'),
    uprightText(16, (height - frame.bottom) / 2, 'best robust accuracy so far'),
  ];
  const lines = arms.flatMap(({ arm, summaries }, row) => {
    const { colour, title } = looks[arm];
    const line = (of: 'median' | 'least' | 'greatest'): string =>
      stepsOf(summaries.map((each) => [x(each.seconds), y(each[of])]));
    return [
      `<path d="${line('median')}" fill="none" stroke="${colour}" stroke-width="2.5"/>`,
      ...(['least', 'greatest'] as const).map(
        (of) => `<path d="${line(of)}" fill="none" stroke="${colour}" stroke-dasharray="2 4"/>`,
      ),
      `<path d="M${legend.left} ${legend.top + row * legend.step}h24" stroke="${colour}" stroke-width="2.5"/>`,
      text(legend.left + 30, legend.top + row * legend.step + 4, title, `fill="${colour}"`),
    ];
  });
  return drawing(
    width,
    height,
    'Best robust accuracy over the CPU seconds of the trainers; solid: median, dotted: range of the seeds',
    [...axes, ...lines],
  );
};
