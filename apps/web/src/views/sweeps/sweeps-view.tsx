import { SweepStatus } from '@funnel/contracts';
import { useDeferredValue, useState } from 'react';
import { Segmented } from '../../components/segmented.tsx';
import { Empty, ErrorNotice } from '../../components/states.tsx';
import { useNow } from '../../components/use-now.ts';
import { usePagedList } from '../../components/use-paged-list.ts';
import { call } from '../../data/api.ts';
import { href, useQueryValue } from '../../router.ts';
import { FleetLine } from './fleet-line.tsx';
import { SweepsTable } from './sweeps-table.tsx';
import { useLiveSweeps } from './use-live-sweeps.ts';
import './sweeps.css';

const filters = [
  { value: 'all', title: 'All' },
  { value: 'running', title: 'Running' },
  { value: 'paused', title: 'Paused' },
  { value: 'completed', title: 'Completed' },
  { value: 'cancelled', title: 'Cancelled' },
] as const;

export const SweepsView = () => {
  const [statusText, setStatus] = useQueryValue('status');
  const status = SweepStatus.safeParse(statusText).data;
  const [typed, setTyped] = useState('');
  const search = useDeferredValue(typed.trim());
  const now = useNow();
  const { list, state } = usePagedList({
    key: `sweeps/${status ?? ''}/${search}`,
    load: (cursor) =>
      call('listSweeps', {
        query: { status, search: search === '' ? undefined : search, cursor, limit: 100 },
      }),
    idOf: (sweep) => sweep.id,
    mayChange: () => true,
  });
  useLiveSweeps(list);
  const showAll = () => {
    setTyped('');
    setStatus(undefined);
  };
  const unfiltered = status === undefined && search === '';

  return (
    <>
      <header className="page-head">
        <div className="page-head-text">
          <h1>Sweeps</h1>
          <FleetLine />
        </div>
      </header>
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
        </div>
        {state.error === undefined ? null : (
          <div className="panel-body">
            <ErrorNotice error={state.error} retry={() => void list.more()} />
          </div>
        )}
        {state.items.length === 0 && !state.partial ? (
          unfiltered ? (
            <Empty title="No sweeps yet">
              <p>
                A sweep trains and attacks one model for every point of a search space. Start with one from
                the form, or submit a file:
              </p>
              <pre className="mono">funnel submit sweep.yaml --watch</pre>
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
          <SweepsTable state={state} more={list.more} now={now} />
        )}
      </section>
    </>
  );
};
