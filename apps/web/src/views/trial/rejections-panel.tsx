import type { Evaluation, TrialDetail } from '@funnel/contracts';
import { attackTitle, settingsLabel } from '../../attack-label.ts';
import { OutcomeBar, OutcomeLegend } from '../../charts/outcome-bar.tsx';
import { Panel } from '../../components/panel.tsx';
import { formatCount, formatPercent } from '../../format.ts';

/** Where its classifier stands behind something that refuses images. */
export const rejects = ({ evaluations }: Pick<TrialDetail, 'evaluations'>): boolean =>
  evaluations.some(({ summary }) => summary.rejectedClean !== undefined);

const Share = ({ share = 0, of }: { readonly share: number | undefined; readonly of: number }) => (
  <td className="number">
    {formatPercent(share)}{' '}
    <span className="muted small">
      {formatCount(Math.round(share * of))} of {formatCount(of)}
    </span>
  </td>
);

const Row = ({ evaluation }: { readonly evaluation: Evaluation }) => {
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

/** Only a defence that rejects images has it. */
export const RejectionsPanel = ({ trial }: { readonly trial: TrialDetail }) =>
  rejects(trial) ? (
    <Panel
      title="What the defence rejected"
      note="A rejected image fools nobody, but an image rejected clean is not answered either: robust accuracy counts the first and not the second."
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
                Passed and fooled
              </th>
            </tr>
          </thead>
          <tbody>
            {trial.evaluations.map((evaluation) => (
              <Row key={evaluation.stage} evaluation={evaluation} />
            ))}
          </tbody>
        </table>
      </div>
      <div className="panel-body">
        <OutcomeLegend />
      </div>
    </Panel>
  ) : null;
