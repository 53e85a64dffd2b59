import type { EvaluationSummary } from '@funnel/contracts';
import { useId } from 'react';
import { formatPercent } from '../format.ts';

/** A chosen trial keeps one colour and one dash in every picture: two that look alike to some eyes still differ. */
export const dashes: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [10, 3, 2, 3], [5, 2], [1, 4]];

/** The colour and dash that a chosen trial has in every picture. */
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

/** A value with its interval on a small axis from `low` to `high`: rows of a table can be compared by eye. Infinity is at its end. */
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

/** What became of all images under one attack, where a defence rejects some: hatched is what it rejected. */
const outcomes = {
  right: { title: 'right, and let pass', tone: 'var(--accent)', hatched: false },
  rejectedAttacked: { title: 'rejected under attack', tone: 'var(--accent)', hatched: true },
  fooled: { title: 'fooled', tone: 'var(--failed)', hatched: false },
  wrong: { title: 'wrong before any attack', tone: 'var(--cancelled)', hatched: false },
  rejectedClean: { title: 'rejected before any attack', tone: 'var(--cancelled)', hatched: true },
} as const;
type OutcomeName = keyof typeof outcomes;
const outcomeNames = Object.keys(outcomes) as OutcomeName[];

/** Shares of all images; they add up to 1. The first two are the robust accuracy. */
export const outcomeShares = (summary: EvaluationSummary): Readonly<Record<OutcomeName, number>> => {
  const { cleanAccuracy, robustAccuracy, rejectedClean = 0, rejectedAttacked = 0 } = summary;
  const rejected = rejectedAttacked * cleanAccuracy;
  return {
    right: robustAccuracy - rejected,
    rejectedAttacked: rejected,
    fooled: cleanAccuracy - robustAccuracy,
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
  const there = outcomeNames.filter((name) => shares[name] > 1e-9);
  const text = there.map((name) => `${formatPercent(shares[name])} ${outcomes[name].title}`).join(', ');
  const width = 240;
  let x = 0;
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={text}>
      <title>{text}</title>
      {there.map((name) => {
        const from = x;
        x += shares[name] * width;
        // A gap of one pixel keeps two neighbours apart for every eye.
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
