import type { TrialDetail } from '@funnel/contracts';
import { Panel } from '../../components/panel.tsx';
import { Loaded } from '../../components/states.tsx';
import { sweepQuery, trialQuery } from '../../data/queries.ts';
import { useQuery } from '../../data/use-query.ts';
import { href } from '../../router.ts';
import type { ViewProps } from '../view-props.ts';
import { CheckpointsPanel } from './checkpoints-panel.tsx';
import { CostPanel } from './cost-panel.tsx';
import { DiagnosticsPanel } from './diagnostics-panel.tsx';
import { EvaluationsPanel } from './evaluations-panel.tsx';
import { GalleryPanel } from './gallery-panel.tsx';
import { RejectionsPanel } from './rejections-panel.tsx';
import { SpecPanel } from './spec-panel.tsx';
import { TrialCurvesPanel } from './trial-curves-panel.tsx';
import { TrialHeader } from './trial-header.tsx';
import './trial.css';

const endings = {
  failed: 'Its attempts ended with an error.',
  diverged: 'A loss was not finite any more. The same inputs would end so again.',
  collapsed: 'The auto-encoder ignores its input. The same inputs would end so again.',
};

const Warnings = ({ warnings }: { readonly warnings: readonly string[] }) =>
  warnings.length === 0 ? null : (
    <div className="notice" data-tone="warning" role="note">
      {warnings.map((warning) => (
        <p key={warning}>{warning}</p>
      ))}
    </div>
  );

/** Why a trial ended without a result, in the words of the stage that did. */
const Endings = ({ trial }: { readonly trial: TrialDetail }) => {
  const ended = trial.stages.filter(
    ({ status }) => status === 'failed' || status === 'diverged' || status === 'collapsed',
  );
  return ended.map((stage) => (
    <div key={stage.id} className="notice" data-tone="danger" role="note">
      <strong>
        {stage.kind} {stage.status}
        {stage.attempts > 1 ? ` after ${stage.attempts} attempts` : ''}
      </strong>
      <p>
        {stage.error?.message ?? endings[stage.status as keyof typeof endings]}{' '}
        <a href={href(['sweeps', trial.sweepId, 'stages'], { stage: stage.id })}>The stage</a>
      </p>
    </div>
  ));
};

const Trial = ({ trial }: { readonly trial: TrialDetail }) => {
  const { data: sweep } = useQuery(sweepQuery(trial.sweepId));
  const attacked = trial.evaluations.length > 0;
  return (
    <div className="stack">
      <TrialHeader trial={trial} sweep={sweep} />
      <Endings trial={trial} />
      <Warnings warnings={trial.warnings} />
      <TrialCurvesPanel trial={trial} />
      {attacked ? (
        <>
          <EvaluationsPanel trial={trial} />
          <RejectionsPanel trial={trial} />
          <GalleryPanel trial={trial} />
          <DiagnosticsPanel trial={trial} />
        </>
      ) : (
        <Panel title="Attacks">
          <p className="muted">
            No attack has been measured yet. They start when the classifier has been trained.
          </p>
        </Panel>
      )}
      <SpecPanel trial={trial} />
      <div className="columns">
        <CostPanel trial={trial} />
        <CheckpointsPanel trial={trial} />
      </div>
    </div>
  );
};

export const TrialView = ({ params }: ViewProps) => {
  const state = useQuery(trialQuery(params[0] ?? ''));
  return (
    <Loaded state={state} height={600}>
      {(trial) => <Trial trial={trial} />}
    </Loaded>
  );
};
