import { StoredSweepStatus, type Sweep, totalSpeed } from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';
import { Segmented } from '../../components/controls.tsx';
import { useNow } from '../../components/hooks.ts';
import { Empty, ErrorNotice } from '../../components/states.tsx';
import { call } from '../../data/api.ts';
import { useChangedIds } from '../../data/changed-ids.ts';
import { useLive } from '../../data/live.ts';
import { type ListChanges, usePagedList } from '../../data/paged-list.ts';
import { workersQuery } from '../../data/queries.ts';
import { plural, speedText } from '../../format.ts';
import { href, navigate, useQueryValue } from '../../router.ts';
import { SubmissionsPanel } from './submissions-panel.tsx';
import { SweepsTable } from './sweeps-table.tsx';
import { ChosenTags, useTagFilter } from './tag-filter.tsx';
import './sweeps.css';

/** One line about the workers: how many are online, how busy and how fast. */
const FleetLine = () => {
  const { data } = useQuery(workersQuery);
  const online = (data?.items ?? []).filter((worker) => worker.status !== 'gone');
  const running = online.flatMap((worker) => worker.running);
  const slots = online.reduce((sum, worker) => sum + worker.slots, 0);
  const speed = speedText(totalSpeed(running));
  return (
    <p className="muted" style={{ minHeight: 21 }}>
      {data === undefined ? null : online.length === 0 ? (
        <>
          No worker is online, so no sweep makes progress. <a href={href(['workers'])}>Workers</a>
        </>
      ) : (
        <>
          {plural(online.length, 'worker')}, {running.length} of {plural(slots, 'slot')} busy
          {speed === '' ? '' : `, ${speed}`}
        </>
      )}
    </p>
  );
};

/** The shortest pause between two fetches of changed sweeps. */
const everyMs = 1000;
/** If more sweeps than this have changed, whole pages are fetched. */
const maxSingle = 10;

/** Keeps a list of sweeps up to date with events: new sweeps appear at the top, deleted ones disappear. */
const useLiveSweeps = (list: ListChanges<Sweep>): void => {
  const addChanged = useChangedIds(async (changed) => {
    const ids = [...changed];
    const known = ids.filter(list.has);
    const first = list.first();
    if (known.length < ids.length || known.length > maxSingle)
      await list.refresh(
        (sweep) => sweep === first || (known.length > maxSingle && known.includes(sweep.id)),
      );
    if (known.length > maxSingle) return;
    const sweeps = await Promise.allSettled(known.map((id) => call('getSweep', { params: { id } })));
    const changes = sweeps.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    list.patch(new Map(changes.map((sweep) => [sweep.id, () => sweep])));
  }, everyMs);

  useLive(({ rows, gap }) => {
    if (gap) {
      void list.refresh(() => true);
      return;
    }
    const changed: string[] = [];
    for (const { event } of rows) {
      if (event.type === 'sweep' && event.status === 'deleted') list.remove(event.sweepId);
      else if (event.type === 'sweep' || list.has(event.sweepId)) changed.push(event.sweepId);
    }
    if (changed.length > 0) addChanged(changed);
  });
};

const filters = [
  { value: 'all', title: 'All' },
  { value: 'running', title: 'Running' },
  { value: 'paused', title: 'Paused' },
  { value: 'completed', title: 'Completed' },
  { value: 'completed-with-failures', title: 'With failures' },
  { value: 'failed', title: 'Failed' },
  { value: 'cancelled', title: 'Cancelled' },
] as const;

export const SweepsView = () => {
  const [statusText, setStatus] = useQueryValue('status');
  const status = StoredSweepStatus.safeParse(statusText).data;
  const filter = useTagFilter();
  const [typed, setTyped] = useState('');
  const search = useDeferredValue(typed.trim());
  const now = useNow();
  const { list, state } = usePagedList<Sweep>({
    key: ['sweeps', status ?? '', search, ...filter.tags],
    load: (cursor, signal) =>
      call(
        'listSweeps',
        {
          query: {
            ...{ status, tag: [...filter.tags], cursor, limit: 100 },
            ...(search !== '' && { search }),
          },
        },
        signal,
      ),
    idOf: (sweep) => sweep.id,
    mayChange: () => true,
  });
  useLiveSweeps(list);
  const showAll = () => {
    setTyped('');
    navigate(href(['sweeps']), { replace: true });
  };
  const unfiltered = status === undefined && search === '' && filter.tags.length === 0;

  return (
    <>
      <header className="page-head">
        <div className="page-head-text">
          <h1>Sweeps</h1>
          <FleetLine />
        </div>
      </header>
      <div className="stack">
        <SubmissionsPanel />
        <section className="panel" aria-label="List of sweeps">
          <div className="sweeps-tools">
            <input
              className="input"
              type="search"
              placeholder="Search by name"
              aria-label="Search sweeps by name"
              data-search
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
            />
            <Segmented
              label="Status"
              value={status ?? 'all'}
              options={filters}
              onChange={(value) => setStatus(value === 'all' ? undefined : value)}
            />
            <ChosenTags filter={filter} />
          </div>
          {state.error === null ? null : (
            <div className="panel-body">
              <ErrorNotice error={state.error} retry={state.more} />
            </div>
          )}
          {state.items.length === 0 && !state.partial ? (
            unfiltered ? (
              <Empty title="No sweeps yet">
                <p>
                  A sweep trains and attacks one model for every point of a search space. Fill in the form, or
                  submit a file:
                </p>
                <pre className="mono">npx funnel submit sweep.yaml --watch</pre>
                <a className="button" data-kind="primary" href={href(['new'])}>
                  New sweep
                </a>
              </Empty>
            ) : (
              <Empty title="No sweep matches">
                <button type="button" className="button" onClick={showAll}>
                  Show all
                </button>
              </Empty>
            )
          ) : (
            <SweepsTable state={state} now={now} filter={filter} />
          )}
        </section>
      </div>
    </>
  );
};
