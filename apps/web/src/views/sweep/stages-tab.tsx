import type { Stage } from '@funnel/contracts';
import type { ReactNode } from 'react';
import { StageTree } from '../../charts/stage-tree/stage-tree.tsx';
import { Panel } from '../../components/controls.tsx';
import { ErrorNotice, Loaded, Skeleton } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { call } from '../../data/api.ts';
import { type ListState, usePagedList } from '../../data/paged-list.ts';
import { stageLogQuery, stageQuery, useLive, useQuery } from '../../data/queries.ts';
import {
  attackLabel,
  formatCount,
  formatDuration,
  formatHyperparameter,
  formatTime,
  hyperparameterTitle,
  shortHash,
} from '../../format.ts';
import { href, useQueryValue } from '../../router.ts';
import type { SweepTabProps } from './sweep-results.tsx';

const over = new Set<Stage['status']>([
  'completed',
  'diverged',
  'collapsed',
  'failed',
  'skipped',
  'cancelled',
]);

/** All stages of a sweep. Events carry status and position, so the tree moves without asking the server again. */
export const useStages = (sweepId: string): ListState<Stage> => {
  const { list, state } = usePagedList<Stage>({
    key: `stages/${sweepId}`,
    load: (cursor) => call('listStages', { params: { id: sweepId }, query: { limit: 1000, cursor } }),
    idOf: (stage) => stage.id,
    mayChange: (stage) => !over.has(stage.status),
    all: true,
  });
  useLive(({ rows, gap }) => {
    if (gap) {
      void list.refresh((stage) => !over.has(stage.status));
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

/** What happened to a stage so far, oldest first, and on as it happens. */
export const StageLog = ({ id }: { readonly id: string }) => {
  const { data, error } = useQuery(stageLogQuery(id));
  if (data === undefined)
    return error === undefined ? <Skeleton height={80} /> : <ErrorNotice error={error} />;
  if (data.items.length === 0) return null;
  return (
    <section aria-label="Log">
      <h3>Log</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long log is scrolled by keyboard */}
      <ol className="stage-log" tabIndex={0} aria-label="What happened, oldest first">
        {data.items.map((line, i) => (
          <li key={i} data-level={line.level}>
            <time dateTime={line.at} title={formatTime(line.at)}>
              {new Date(line.at).toLocaleTimeString('en-GB')}
            </time>
            <span>
              {line.attempt === null ? '' : `attempt ${line.attempt} `}
              {line.message}
              {line.detail === null ? null : (
                <details>
                  <summary>where it came from</summary>
                  <pre>{line.detail}</pre>
                </details>
              )}
            </span>
          </li>
        ))}
      </ol>
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

export const StagesTab = ({ sweep }: SweepTabProps) => {
  const { items, partial, error } = useStages(sweep.id);
  const [selected, select] = useQueryValue('stage');
  if (items.length === 0)
    return error === undefined ? <Skeleton height={640} /> : <ErrorNotice error={error} />;
  return (
    <div className="stack">
      {error === undefined ? null : <ErrorNotice error={error} />}
      <Panel
        title="Stage tree"
        note={`Each stage stands to the right of the one that it starts from, as tall as what is built on it${partial ? `; ${formatCount(items.length)} stages so far` : ''}.`}
      >
        <StageTree stages={items} selected={selected ?? null} onSelect={(id) => select(id ?? undefined)} />
      </Panel>
      {selected === undefined ? null : (
        <StageDetail key={selected} id={selected} sweepId={sweep.id} onClose={() => select(undefined)} />
      )}
    </div>
  );
};
