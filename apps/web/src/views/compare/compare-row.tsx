/** A row of a table that compares trials: one cell for each trial, with a value, its text and its 95 % interval. */
import {
  type Evaluation,
  type EvaluationMetricName,
  type MeasuredValue,
  type TrialDetail,
  totalOf,
  valueUnder,
  worstCaseShare,
  worstCaseValue,
} from '@funnel/contracts';
import type { CSSProperties } from 'react';
import { formatInterval, formatMeasured, formatPercent } from '../../format.ts';

/** Passes the number of trials to the style sheet, so that all tables have the same columns. */
export const columnsStyle = (trials: number): CSSProperties => ({ '--trials': trials }) as CSSProperties; // React's types have no custom properties

/** `Trial 17`; with its sweep if another trial has the same number. */
export const trialName = (trial: TrialDetail, all: readonly TrialDetail[]): string =>
  all.filter(({ number }) => number === trial.number).length > 1
    ? `Trial ${trial.number} of ${trial.sweepId}`
    : `Trial ${trial.number}`;

export type Cell = { readonly value: number | null; readonly text: string; readonly note?: string };

/** A row of cells with the best one marked. */
export const Row = (props: {
  readonly title: string;
  readonly cells: readonly Cell[];
  /** Null: no direction is better. */
  readonly better: 'max' | 'min' | null;
}) => {
  const values = props.cells.flatMap(({ value }) => (value === null ? [] : [value]));
  const best = props.better === 'max' ? Math.max(...values) : Math.min(...values);
  const hasBest = props.better !== null && new Set(props.cells.map(({ text }) => text)).size > 1;
  return (
    <tr>
      <th scope="row" className="wrap">
        {props.title}
      </th>
      {props.cells.map(({ value, text, note }, i) => (
        <td key={i}>
          <span className={hasBest && value === best ? 'compare-best' : undefined}>{text}</span>
          {note ? <span className="muted small"> {note}</span> : null}
        </td>
      ))}
    </tr>
  );
};

export const percentCell = (value: number | null, interval?: readonly [number, number] | null): Cell => ({
  value,
  text: formatPercent(value),
  note: interval ? formatInterval(interval) : undefined,
});

export const cleanCell = ({ cleanAccuracy, perClass }: TrialDetail): Cell =>
  percentCell(cleanAccuracy, perClass && totalOf(perClass).interval);

const noCell: Cell = { value: null, text: '–' };

/** A distance and its 95 % interval, whose ends may be infinite. */
const distanceCell = ({ value, interval }: MeasuredValue): Cell =>
  value === null
    ? noCell
    : {
        ...{ value, text: formatMeasured(value) },
        ...(interval && { note: formatInterval(interval, formatMeasured) }),
      };

/** Robust accuracy with its interval, or the distance of an attack that looks for the smallest change. */
export const strengthCell = (evaluation: Evaluation | undefined, metric: EvaluationMetricName): Cell => {
  const summary = evaluation?.summary;
  if (metric === 'robustAccuracy')
    return percentCell(summary?.robustAccuracy ?? null, summary?.robustInterval);
  return evaluation ? distanceCell(valueUnder(evaluation, metric)) : noCell;
};

/** The robust accuracy in the worst case with its count, or the median distance where no attack has a fixed ε. */
export const worstCell = (trial: TrialDetail, metric: EvaluationMetricName): Cell => {
  if (metric !== 'robustAccuracy') return distanceCell(worstCaseValue(trial, metric));
  const share = worstCaseShare(trial, metric);
  if (share === null) return noCell;
  const cell = percentCell(share.value, share.interval);
  return { ...cell, note: `${share.count} of ${share.of}, ${cell.note}` };
};
