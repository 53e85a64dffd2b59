import type { EvaluationSummary } from '@funnel/contracts';
import { useId } from 'react';
import { formatPercent } from '../format.ts';

/** Small SVG marks for tables and legends. */

/** The dash patterns of chosen trials, beside their colours: some people cannot tell the colours apart. */
export const dashes: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [10, 3, 2, 3], [5, 2], [1, 4]];

/** The colour and dash of a chosen trial, the same in every chart. */
export const SeriesMark = ({ colour }: { readonly colour: number }) => (
  <svg width="22" height="8" viewBox="0 0 22 8" aria-hidden="true" style={{ flex: 'none' }}>
    <path
      d="M1 4H21"
      stroke={`var(--series-${(colour % 6) + 1})`}
      strokeWidth="3"
      strokeDasharray={dashes[colour % 6]!.join(' ')}
    />
  </svg>
);

/** The range of a linear axis, with a place for infinity beyond the largest finite value. */
type InfinityPlace = {
  /** The smallest and the largest finite value. */
  readonly low: number;
  readonly high: number;
  /** The coordinate of ∞; null if no value is infinite. */
  readonly infinity: number | null;
};

/** The distance of ∞ from the largest finite value, as a share of the finite span. */
const gap = 1 / 6;

/** The range of the values; null without values. */
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

/** The coordinate of a value on such an axis. */
export const drawnAt = (value: number, place: InfinityPlace | null): number =>
  value === Number.POSITIVE_INFINITY ? (place?.infinity ?? value) : value;

/** A value with its interval on a small axis from `low` to `high`, to compare the rows of a table. Infinity is drawn at the end. */
export const IntervalMark = (props: {
  readonly value: number;
  readonly interval: readonly [number, number] | null;
  readonly low: number;
  readonly high: number;
  readonly hollow?: boolean;
  readonly label: string;
}) => {
  const { value, interval, low, high } = props;
  const share = (v: number) => (high === low ? 0.5 : Math.max(0, Math.min(1, (v - low) / (high - low))));
  const at = (v: number) => 4 + 112 * share(v);
  const tone = props.hollow ? 'var(--muted)' : 'var(--accent)';
  return (
    <svg
      className="interval-mark"
      width="120"
      height="16"
      viewBox="0 0 120 16"
      role="img"
      aria-label={props.label}
      style={{ verticalAlign: -3 }}
    >
      <path d="M4 8H116" stroke="var(--line)" />
      {interval ? (
        <path
          d={`M${at(interval[0])} 8H${at(interval[1])}`}
          stroke={tone}
          strokeWidth="2.4"
          strokeOpacity="0.45"
        />
      ) : null}
      <circle
        cx={at(value)}
        cy="8"
        r="3.6"
        fill={props.hollow ? 'var(--surface)' : tone}
        stroke={tone}
        strokeWidth="1.6"
      />
    </svg>
  );
};

/** What can happen to an image under one attack when the defence can reject images. Rejected images are hatched. */
const outcomes = {
  correct: { title: 'accepted and correct', tone: 'var(--accent)', hatched: false },
  rejectedAttacked: { title: 'rejected under attack', tone: 'var(--accent)', hatched: true },
  fooled: { title: 'fooled', tone: 'var(--failed)', hatched: false },
  wrong: { title: 'wrong before any attack', tone: 'var(--cancelled)', hatched: false },
  rejectedClean: { title: 'rejected before any attack', tone: 'var(--cancelled)', hatched: true },
} as const;
type OutcomeName = keyof typeof outcomes;
const outcomeNames = Object.keys(outcomes) as OutcomeName[];

/**
 * The outcomes as shares of all images, which add up to 1. `correct` and `rejectedAttacked` together are the robust accuracy of an attack at a
 * fixed ε.
 */
export const outcomeShares = (summary: EvaluationSummary): Readonly<Record<OutcomeName, number>> => {
  const { images, successes, cleanAccuracy, rejectedClean = 0, rejectedAttacked = 0 } = summary;
  const rejected = rejectedAttacked * cleanAccuracy;
  const fooled = images === 0 ? 0 : successes / images;
  return {
    correct: cleanAccuracy - fooled - rejected,
    rejectedAttacked: rejected,
    fooled,
    wrong: 1 - cleanAccuracy - rejectedClean,
    rejectedClean,
  };
};

const height = 12;

const Hatch = ({ id, tone }: { readonly id: string; readonly tone: string }) => (
  <pattern id={id} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
    <rect width="5" height="5" fill={tone} fillOpacity="0.22" />
    <rect width="2" height="5" fill={tone} />
  </pattern>
);

const Fill = (props: { readonly name: OutcomeName; readonly x: number; readonly width: number }) => {
  const id = useId();
  const { tone, hatched } = outcomes[props.name];
  return (
    <>
      {hatched ? (
        <defs>
          <Hatch id={id} tone={tone} />
        </defs>
      ) : null}
      <rect x={props.x} width={props.width} height={height} fill={hatched ? `url(#${id})` : tone} />
    </>
  );
};

export const OutcomeBar = ({ summary }: { readonly summary: EvaluationSummary }) => {
  const shares = outcomeShares(summary);
  const present = outcomeNames.filter((name) => shares[name] > 1e-9);
  const text = present.map((name) => `${formatPercent(shares[name])} ${outcomes[name].title}`).join(', ');
  const width = 240;
  let x = 0;
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={text}>
      <title>{text}</title>
      {present.map((name) => {
        const from = x;
        x += shares[name] * width;
        // A gap of one pixel, because some people see neighbouring colours as equal.
        return <Fill key={name} name={name} x={from} width={Math.max(0.5, x - from - 1)} />;
      })}
    </svg>
  );
};

export const OutcomeLegend = () => (
  <ul className="row muted small" style={{ gap: '4px 16px' }}>
    {outcomeNames.map((name) => (
      <li key={name} className="row" style={{ gap: 6 }}>
        <svg width="18" height={height} viewBox={`0 0 18 ${height}`} aria-hidden="true">
          <Fill name={name} x={0} width={18} />
        </svg>
        {outcomes[name].title}
      </li>
    ))}
  </ul>
);
