import type { Stage, TrialDetail } from '@funnel/contracts';
import { attackTitle } from '../../attack-label.ts';
import { Panel } from '../../components/panel.tsx';
import { Status } from '../../components/status.tsx';
import { formatCount, formatDuration } from '../../format.ts';
import { href } from '../../router.ts';

const seconds = (stages: readonly Stage[]): number =>
  stages.reduce((sum, stage) => sum + (stage.seconds ?? 0), 0);
const share = (stages: readonly Stage[]): number =>
  stages.reduce((sum, stage) => sum + (stage.seconds ?? 0) / Math.max(1, stage.sharedBy), 0);

const lengthText = (stage: Stage): string => {
  if (stage.attack !== null) return '';
  return stage.startEpoch > 0 ? `${stage.startEpoch + 1}–${stage.epochs}` : `1–${stage.epochs}`;
};

export const CostPanel = ({ trial }: { readonly trial: TrialDetail }) => {
  const { stages } = trial;
  const shared = stages.filter(({ sharedBy }) => sharedBy > 1).length;
  return (
    <Panel
      title="Cost"
      note={`${formatDuration(seconds(stages))} of work; divided among the trials that share it, ${formatDuration(share(stages))}. ${shared} of ${stages.length} stages are shared.`}
      flush
    >
      <div className="table-wrap">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Stage</th>
              <th scope="col">Status</th>
              <th scope="col" className="number">
                Epochs
              </th>
              <th scope="col" className="number">
                Time
              </th>
              <th scope="col" className="number">
                Shared by
              </th>
            </tr>
          </thead>
          <tbody>
            {stages.map((stage) => (
              <tr key={stage.id} title={stage.error?.message}>
                <th scope="row">
                  <a href={href(['sweeps', trial.sweepId, 'stages'], { stage: stage.id })}>
                    {stage.attack === null ? stage.kind : attackTitle(stage.attack)}
                  </a>
                </th>
                <td>
                  <Status status={stage.status} />
                </td>
                <td className="number">{lengthText(stage)}</td>
                <td className="number">{formatDuration(stage.seconds)}</td>
                <td className="number">{stage.sharedBy === 1 ? 'its own' : formatCount(stage.sharedBy)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {stages
        .filter(({ error }) => error !== null)
        .map((stage) => (
          <p key={stage.id} className="field-error" style={{ padding: '8px 18px' }}>
            {stage.kind}: {stage.error!.message}
          </p>
        ))}
    </Panel>
  );
};
