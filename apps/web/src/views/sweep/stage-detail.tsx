import type { Stage } from '@funnel/contracts';
import type { ReactNode } from 'react';
import { attackLabel } from '../../attack-label.ts';
import { Panel } from '../../components/panel.tsx';
import { Loaded } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { stageQuery } from '../../data/queries.ts';
import { useQuery } from '../../data/use-query.ts';
import {
  formatCount,
  formatDuration,
  formatHyperparameter,
  formatTime,
  hyperparameterTitle,
  shortHash,
} from '../../format.ts';
import { href } from '../../router.ts';
import { StageLog } from './stage-log.tsx';

const Fact = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => (
  <>
    <dt>{title}</dt>
    <dd>{children}</dd>
  </>
);

const Facts = ({ stage, sweepId }: { readonly stage: Stage; readonly sweepId: string }) => {
  const link = (id: string) => (
    <a className="mono" href={href(['sweeps', sweepId, 'stages'], { stage: id })}>
      {shortHash(id)}
    </a>
  );
  const hyperparameters = Object.entries(stage.hyperparameters);
  return (
    <dl className="stage-detail">
      <Fact title="Status">
        <Status status={stage.status} />
        {stage.status === 'running' && stage.position !== null && stage.epochs > 0
          ? `, epoch ${stage.position.epoch} of ${stage.epochs}`
          : ''}
      </Fact>
      {stage.error === null ? null : (
        <Fact title="Error">
          {stage.error.message} <code className="muted">{stage.error.code}</code>
        </Fact>
      )}
      <Fact title="Shared by">
        {formatCount(stage.sharedBy)} {stage.sharedBy === 1 ? 'trial' : 'trials'}
      </Fact>
      {stage.attack === null ? (
        <Fact title="Epochs">
          {formatCount(stage.epochs)}
          {stage.startEpoch > 0 ? `, of which it trains those after ${formatCount(stage.startEpoch)}` : ''}
        </Fact>
      ) : (
        <Fact title="Attack">{attackLabel(stage.attack)}</Fact>
      )}
      {hyperparameters.length === 0 ? null : (
        <Fact title="Hyperparameters that it reads">
          {hyperparameters
            .map(([name, value]) => `${hyperparameterTitle(name)} ${formatHyperparameter(value)}`)
            .join(' · ')}
        </Fact>
      )}
      <Fact title="Seed">{stage.seed}</Fact>
      {stage.parent === null ? null : <Fact title="Starts from">{link(stage.parent)}</Fact>}
      {stage.dependsOn === null || stage.dependsOn === stage.parent ? null : (
        <Fact title="Waits for">{link(stage.dependsOn)}</Fact>
      )}
      {stage.surrogates.length === 0 ? null : (
        <Fact title="Makes its images on">
          <span className="row" style={{ gap: '2px 10px' }}>
            {stage.surrogates.map((id) => (
              <span key={id}>{link(id)}</span>
            ))}
          </span>
        </Fact>
      )}
      <Fact title="Attempts">
        {stage.attempts}
        {stage.workerId === null ? '' : `, on ${stage.workerId}`}
      </Fact>
      <Fact title="Time">
        {formatDuration(stage.seconds)}
        {stage.startedAt === null ? '' : `, from ${formatTime(stage.startedAt)}`}
      </Fact>
      <Fact title="Identity">
        <span className="mono small">{stage.id}</span>
      </Fact>
    </dl>
  );
};

export const StageDetail = (props: {
  readonly id: string;
  readonly sweepId: string;
  readonly onClose: () => void;
}) => {
  const state = useQuery(stageQuery(props.id));
  return (
    <Panel
      title={`Stage ${shortHash(props.id)}${state.data ? `: ${state.data.kind}` : ''}`}
      actions={
        <button type="button" className="button" data-size="small" onClick={props.onClose}>
          Close
        </button>
      }
    >
      <div className="stack">
        <Loaded state={state} height={220}>
          {(stage) => <Facts stage={stage} sweepId={props.sweepId} />}
        </Loaded>
        <StageLog id={props.id} />
      </div>
    </Panel>
  );
};
