import {
  type DistanceMetricName,
  type Evaluation,
  type ExtendedNumber,
  readExtended,
  sizeText,
  type TrialDetail,
  threatModelText,
  valueUnder,
  wilsonInterval,
} from '@funnel/contracts';
import { IntervalMark, OutcomeBar, OutcomeLegend } from '../../charts/marks.tsx';
import { RobustnessCurves, useRobustnessCurves } from '../../charts/robustness-curves.tsx';
import { Panel } from '../../components/controls.tsx';
import { Skeleton } from '../../components/states.tsx';
import { Verdict } from '../../components/status.tsx';
import {
  attackTitle,
  formatCount,
  formatInterval,
  formatMeasured,
  formatPercent,
  settingsLabel,
} from '../../format.ts';

const measured = (extended: ExtendedNumber | null): string => {
  const value = readExtended(extended);
  return value === null ? '–' : formatMeasured(value);
};

/** A value and, below it, its interval; nothing below a value without one. */
const Sure = ({ value, interval }: { readonly value: string; readonly interval: string | null }) => (
  <>
    {value}
    {interval === null ? null : (
      <span className="muted small attack-below" title="95 % interval">
        {interval}
      </span>
    )}
  </>
);

/** A median over the attacked images, or the mean over the fooled ones. A few images have no interval. */
const Distance = ({
  evaluation,
  metric,
}: {
  readonly evaluation: Evaluation;
  readonly metric: DistanceMetricName;
}) => {
  const { interval } = valueUnder(evaluation, metric);
  return (
    <td className="number">
      <Sure
        value={measured(evaluation.summary[metric])}
        interval={interval && formatInterval(interval, formatMeasured)}
      />
    </td>
  );
};

/** The share of the attacked images that the attack fooled. */
const Success = ({ evaluation }: { readonly evaluation: Evaluation }) => {
  const { successRate, successInterval, successes, attempted } = evaluation.summary;
  return (
    <td className="number" title={`${formatCount(successes)} of ${formatCount(attempted)} attacked`}>
      <Sure
        value={formatPercent(successRate)}
        interval={successInterval && formatInterval(successInterval)}
      />
      <span className="muted small attack-below">{successRate === null ? '' : sizeText(evaluation)}</span>
    </td>
  );
};

const RobustAccuracy = ({ evaluation }: { readonly evaluation: Evaluation }) => {
  const { robustAccuracy, robustInterval, images } = evaluation.summary;
  const { robustAtEpsilon } = evaluation;
  if (robustAtEpsilon)
    return (
      <td className="number" title="The smallest changes that the attack found are larger than this ε.">
        {formatPercent(robustAtEpsilon.accuracy)}{' '}
        <span className="muted small attack-interval">
          {formatInterval(wilsonInterval(robustAtEpsilon.robust, images))} at{' '}
          {threatModelText({ [robustAtEpsilon.norm]: robustAtEpsilon.epsilon })}
        </span>
      </td>
    );
  if (robustAccuracy === null || robustInterval === null)
    return (
      <td className="number muted" title="No attack at a fixed ε on a correctly classified image.">
        –
      </td>
    );
  const interval = `${formatPercent(robustInterval[0])} to ${formatPercent(robustInterval[1])}`;
  return (
    <td className="number" title={`95% interval ${interval}`}>
      <IntervalMark
        value={robustAccuracy}
        interval={robustInterval}
        low={0}
        high={1}
        hollow={evaluation.verdict === 'masked'}
        label={`95% interval ${interval}`}
      />{' '}
      {formatPercent(robustAccuracy)}{' '}
      <span className="muted small attack-interval">{formatInterval(robustInterval)}</span>
    </td>
  );
};

const EvaluationRow = ({ evaluation }: { readonly evaluation: Evaluation }) => {
  const { summary, verdict } = evaluation;
  return (
    <tr>
      <th scope="row">
        {attackTitle(evaluation)}{' '}
        <span className="muted small attack-words">{settingsLabel(evaluation)}</span>
      </th>
      <RobustAccuracy evaluation={evaluation} />
      <Success evaluation={evaluation} />
      <Distance evaluation={evaluation} metric="noiseLevel" />
      <Distance evaluation={evaluation} metric="medianL2" />
      <Distance evaluation={evaluation} metric="medianLinf" />
      <td className="number">{summary.meanQueries === null ? '–' : formatCount(summary.meanQueries)}</td>
      <td>
        <Verdict verdict={verdict} />
      </td>
    </tr>
  );
};

const Curve = ({ trial, norm }: { readonly trial: TrialDetail; readonly norm: 'linf' | 'l2' }) => {
  const { curves, note, isSearched } = useRobustnessCurves(
    [{ id: trial.id, name: 'worst case', colour: 0 }],
    norm,
    trial.data.budgets[norm],
  );
  return (
    <div>
      {curves.length > 0 ? (
        <RobustnessCurves curves={curves} height={230} />
      ) : isSearched ? (
        <Skeleton height={230} />
      ) : null}
      <p className="muted small">{note}</p>
    </div>
  );
};

export const EvaluationsPanel = ({ trial }: { readonly trial: TrialDetail }) => (
  <Panel
    title="Attacks"
    note="Robust accuracy is a share of all images. Success is a share of the images that were classified correctly before the attack. An attack that looks for the smallest change fools nearly all images: its robust accuracy is at the ε that stands beside it, if the trial names one; compare its median distances. The noise level is the mean L2 norm over the fooled images; medians are over all attacked images and count a failure as infinite. Small numbers are 95 % intervals."
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
            <EvaluationRow key={evaluation.stage} evaluation={evaluation} />
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

/** Returns true if the defence of a trial can reject images. */
export const rejects = ({ evaluations }: Pick<TrialDetail, 'evaluations'>): boolean =>
  evaluations.some(({ summary }) => summary.rejectedClean !== undefined);

const Share = ({ share, of }: { readonly share: number | null | undefined; readonly of: number }) => (
  <td className="number">
    {formatPercent(share ?? null)}{' '}
    <span className="muted small">
      {formatCount(Math.round((share ?? 0) * of))} of {formatCount(of)}
    </span>
    {typeof share === 'number' && of > 0 ? (
      <span className="muted small attack-below" title="95 % interval">
        {formatInterval(wilsonInterval(Math.round(share * of), of))}
      </span>
    ) : null}
  </td>
);

const RejectionRow = ({ evaluation }: { readonly evaluation: Evaluation }) => {
  const { summary } = evaluation;
  return (
    <tr>
      <th scope="row">
        {attackTitle(evaluation)} <span className="muted small">{settingsLabel(evaluation)}</span>
      </th>
      <td>
        <OutcomeBar summary={summary} />
      </td>
      <Share share={summary.rejectedClean} of={summary.images} />
      <Share share={summary.rejectedAttacked} of={summary.attempted} />
      <Share share={summary.successRate} of={summary.attempted} />
    </tr>
  );
};

/** Shown only for defences that reject images. */
export const RejectionsPanel = ({ trial }: { readonly trial: TrialDetail }) =>
  rejects(trial) ? (
    <Panel
      title="Rejected images"
      note="Robust accuracy counts an image that is rejected under attack as correct. It counts an image that is rejected before any attack as wrong."
      flush
    >
      <div className="table-wrap">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Attack</th>
              <th scope="col">Of all images</th>
              <th scope="col" className="number">
                Rejected clean
              </th>
              <th scope="col" className="number">
                Rejected under attack
              </th>
              <th scope="col" className="number">
                Accepted and fooled
              </th>
            </tr>
          </thead>
          <tbody>
            {trial.evaluations.map((evaluation) => (
              <RejectionRow key={evaluation.stage} evaluation={evaluation} />
            ))}
          </tbody>
        </table>
      </div>
      <div className="panel-body">
        <OutcomeLegend />
      </div>
    </Panel>
  ) : null;
