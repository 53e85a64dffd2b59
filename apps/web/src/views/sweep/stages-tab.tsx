import { type Stage, usageText } from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { StageTree } from '../../charts/stage-tree/stage-tree.tsx';
import { Panel } from '../../components/controls.tsx';
import { LogLines } from '../../components/log-lines.tsx';
import { ErrorNotice, Loaded, Skeleton } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { call } from '../../data/api.ts';
import { useLive } from '../../data/live.ts';
import { type ListState, usePagedList } from '../../data/paged-list.ts';
import { stageLogQuery, stageQuery } from '../../data/queries.ts';
import {
  attackLabel,
  formatCount,
  formatDuration,
  formatHyperparameter,
  formatTime,
  hyperparameterTitle,
  plural,
  shortHash,
} from '../../format.ts';
import { href, useQueryValue } from '../../router.ts';
import type { SweepTabProps } from './sweep-results.tsx';

const endedStatuses = new Set<Stage['status']>([
  'completed',
  'diverged',
  'collapsed',
  'failed',
  'skipped',
  'cancelled',
]);

/** All stages of a sweep. Events carry status and position, so the tree follows them without new requests. */
const useStages = (sweepId: string): ListState<Stage> => {
  const { list, state } = usePagedList<Stage>({
    key: ['stages', sweepId],
    load: (cursor, signal) =>
      call('listStages', { params: { id: sweepId }, query: { limit: 1000, cursor } }, signal),
    idOf: (stage) => stage.id,
    mayChange: (stage) => !endedStatuses.has(stage.status),
    all: true,
  });
  useLive(({ rows, gap }) => {
    if (gap) {
      void list.refresh((stage) => !endedStatuses.has(stage.status));
      return;
    }
    const changes = new Map<string, (stage: Stage) => Stage>();
    for (const { event } of rows) {
      if (event.type !== 'stage' && event.type !== 'epoch') continue;
      const before = changes.get(event.stage) ?? ((stage: Stage) => stage);
      changes.set(event.stage, (stage) =>
        event.type === 'stage'
          ? { ...before(stage), status: event.status }
          : { ...before(stage), position: event.position },
      );
    }
    if (changes.size > 0) list.patch(changes);
  });
  return state;
};

/** The log of a stage, oldest line first. It follows events. */
const StageLog = ({ id }: { readonly id: string }) => {
  const { data, error } = useQuery(stageLogQuery(id));
  if (data === undefined) return error === null ? <Skeleton height={80} /> : <ErrorNotice error={error} />;
  if (data.items.length === 0) return null;
  return (
    <section aria-label="Log">
      <h3>Log</h3>
      <LogLines lines={data.items} label="Log of the stage, oldest line first" />
    </section>
  );
};

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
      <Fact title="Shared by">{plural(stage.sharedBy, 'trial')}</Fact>
      {stage.attack === null ? (
        <Fact title="Epochs">
          {formatCount(stage.epochs)}
          {stage.startEpoch > 0
            ? `; this stage trains the epochs after ${formatCount(stage.startEpoch)}`
            : ''}
        </Fact>
      ) : (
        <Fact title="Attack">{attackLabel(stage.attack)}</Fact>
      )}
      {hyperparameters.length === 0 ? null : (
        <Fact title="Hyperparameters">
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
        <Fact title="Surrogates">
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
      {stage.usage ? <Fact title="Cores and memory">{usageText(stage.usage)}</Fact> : null}
      <Fact title="Identity">
        <span className="mono small">{stage.id}</span>
      </Fact>
    </dl>
  );
};

const StageDetail = (props: {
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

export const StagesTab = ({ sweep }: SweepTabProps) => {
  const { items, partial, error } = useStages(sweep.id);
  const [selected, select] = useQueryValue('stage');
  if (items.length === 0) return error === null ? <Skeleton height={640} /> : <ErrorNotice error={error} />;
  return (
    <div className="stack">
      <ErrorNotice error={error} />
      <Panel
        title="Stage tree"
        note={`Each stage is drawn to the right of the stage that it starts from. Stages from which many others start are taller.${partial ? ` ${plural(items.length, 'stage')} loaded so far.` : ''}`}
      >
        <StageTree stages={items} selected={selected ?? null} onSelect={(id) => select(id ?? undefined)} />
      </Panel>
      {selected === undefined ? null : (
        <StageDetail key={selected} id={selected} sweepId={sweep.id} onClose={() => select(undefined)} />
      )}
    </div>
  );
};
