/** What became of all images under one attack, where a defence rejects some: hatched is what it rejected. */
import type { EvaluationSummary } from '@funnel/contracts';
import { useId } from 'react';
import { formatPercent } from '../format.ts';

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
