import {
  budgetsOf,
  type Evaluation,
  type ExtendedNumber,
  readExtended,
  type TrialDetail,
} from '@funnel/contracts';
import { attackTitle, settingsLabel } from '../../attack-label.ts';
import { IntervalMark } from '../../charts/interval-mark.tsx';
import { RobustnessCurves } from '../../charts/robustness-curves.tsx';
import { Panel } from '../../components/panel.tsx';
import { Skeleton } from '../../components/states.tsx';
import { Verdict } from '../../components/verdict.tsx';
import { useRobustnessCurves } from '../../data/use-robustness-curves.ts';
import { formatCount, formatMeasured, formatPercent } from '../../format.ts';

const measured = (extended: ExtendedNumber | null): string => {
  const value = readExtended(extended);
  return value === null ? '–' : formatMeasured(value);
};

const Row = ({ evaluation }: { readonly evaluation: Evaluation }) => {
  const { summary, verdict } = evaluation;
  const interval = `${formatPercent(summary.robustInterval[0])} to ${formatPercent(summary.robustInterval[1])}`;
  return (
    <tr>
      <th scope="row">
        {attackTitle(evaluation)} <span className="muted small">{settingsLabel(evaluation)}</span>
      </th>
      <td className="number" title={`95% interval ${interval}`}>
        <IntervalMark
          value={summary.robustAccuracy}
          interval={summary.robustInterval}
          low={0}
          high={1}
          hollow={verdict === 'masked'}
          label={`95% interval ${interval}`}
        />{' '}
        {formatPercent(summary.robustAccuracy)}
      </td>
      <td
        className="number"
        title={`${formatCount(summary.successes)} of ${formatCount(summary.attempted)} attacked`}
      >
        {formatPercent(summary.successRate)}
      </td>
      <td className="number">{measured(summary.noiseLevel)}</td>
      <td className="number">{measured(summary.medianL2)}</td>
      <td className="number">{measured(summary.medianLinf)}</td>
      <td className="number">{summary.meanQueries === null ? '–' : formatCount(summary.meanQueries)}</td>
      <td>
        <Verdict verdict={verdict} />
      </td>
    </tr>
  );
};

const Curve = ({ trial, norm }: { readonly trial: TrialDetail; readonly norm: 'linf' | 'l2' }) => {
  const { curves, note } = useRobustnessCurves(
    [{ id: trial.id, name: 'worst case', colour: 0 }],
    norm,
    budgetsOf(trial.dataset)[norm],
  );
  return (
    <div>
      {curves.length > 0 ? <RobustnessCurves curves={curves} height={230} /> : <Skeleton height={230} />}
      <p className="muted small">{note}</p>
    </div>
  );
};

export const EvaluationsPanel = ({ trial }: { readonly trial: TrialDetail }) => (
  <Panel
    title="Attacks"
    note="Robust accuracy counts all images, success only those right when clean; attacks that look for the smallest change leave none standing, and it is their distance that tells. Noise level: mean L2 over successes; medians count failures as infinite."
    flush
  >
    <div className="table-wrap">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Attack</th>
            <th scope="col" className="number">
              Robust accuracy
            </th>
            <th scope="col" className="number">
              Success
            </th>
            <th scope="col" className="number">
              Noise level
            </th>
            <th scope="col" className="number">
              Median L2
            </th>
            <th scope="col" className="number">
              Median L∞
            </th>
            <th scope="col" className="number">
              Queries
            </th>
            <th scope="col">Checks</th>
          </tr>
        </thead>
        <tbody>
          {trial.evaluations.map((evaluation) => (
            <Row key={evaluation.stage} evaluation={evaluation} />
          ))}
        </tbody>
      </table>
    </div>
    <div className="columns panel-body">
      <Curve trial={trial} norm="linf" />
      <Curve trial={trial} norm="l2" />
    </div>
  </Panel>
);
