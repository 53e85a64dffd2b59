import type { FunnelEventRow, Stage } from '@funnel/contracts';
import { type ReactNode, useState } from 'react';
import { attackLabel } from '../../attack-label.ts';
import { Panel } from '../../components/panel.tsx';
import { Loaded } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { stageQuery } from '../../data/queries.ts';
import { useLive, useQuery } from '../../data/use-query.ts';
import {
  formatCount,
  formatDuration,
  formatKnob,
  formatNumber,
  formatTime,
  knobTitle,
  shortHash,
} from '../../format.ts';
import { href } from '../../router.ts';

const Fact = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => (
  <>
    <dt>{title}</dt>
    <dd>{children}</dd>
  </>
);

const describeEvent = ({ event }: FunnelEventRow): string => {
  if (event.type === 'stage') return event.status;
  if (event.type !== 'epoch') return event.type;
  const metrics = Object.entries(event.metrics).map(([name, value]) => `${name} ${formatNumber(value)}`);
  return [`epoch ${event.position.epoch} of ${event.epochs}`, ...metrics].join(', ');
};

/** What happened to the stage since it is on show, newest first. */
const StageEvents = ({ id }: { readonly id: string }) => {
  const [rows, setRows] = useState<readonly FunnelEventRow[]>([]);
  useLive((batch) => {
    const own = batch.rows.filter(({ event }) => 'stage' in event && event.stage === id);
    if (own.length > 0) setRows((before) => [...own.toReversed(), ...before].slice(0, 200));
  });
  if (rows.length === 0) return null;
  return (
    <div>
      <h3>Since this is open</h3>
      <ol className="small mono" style={{ maxHeight: 200, overflowY: 'auto', listStyle: 'none' }}>
        {rows.map((row) => (
          <li key={row.id}>
            <span className="muted">{row.at.slice(11, 19)}</span> {describeEvent(row)}
          </li>
        ))}
      </ol>
    </div>
  );
};

const Facts = ({ stage, sweepId }: { readonly stage: Stage; readonly sweepId: string }) => {
  const link = (id: string) => (
    <a className="mono" href={href(['sweeps', sweepId, 'stages'], { stage: id })}>
      {shortHash(id)}
    </a>
  );
  const knobs = Object.entries(stage.hyperparameters);
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
      {knobs.length === 0 ? null : (
        <Fact title="Knobs that it reads">
          {knobs.map(([name, value]) => `${knobTitle(name)} ${formatKnob(value)}`).join(' · ')}
        </Fact>
      )}
      <Fact title="Seed">{stage.seed}</Fact>
      {stage.parent === null ? null : <Fact title="Starts from">{link(stage.parent)}</Fact>}
      {stage.after === null || stage.after === stage.parent ? null : (
        <Fact title="Waits for">{link(stage.after)}</Fact>
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
        <StageEvents id={props.id} />
      </div>
    </Panel>
  );
};
