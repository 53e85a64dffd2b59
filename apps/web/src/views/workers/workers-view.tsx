import type { Worker } from '@funnel/contracts';
import { useEffect } from 'react';
import { Empty, Loaded } from '../../components/states.tsx';
import { useNow } from '../../components/use-now.ts';
import { workersQuery } from '../../data/queries.ts';
import { useQuery } from '../../data/use-query.ts';
import { WorkerCard } from './worker-card.tsx';
import './workers.css';

/** Heartbeats (memory, speed) are no events: while this page is seen they are asked for this often. */
const heartbeatMs = 5000;

const Cards = ({ workers, now }: { readonly workers: readonly Worker[]; readonly now: number }) => (
  <div className="workers">
    {workers.map((worker) => (
      <WorkerCard key={worker.id} worker={worker} now={now} />
    ))}
  </div>
);

/** Every start of a machine leaves one that is gone: those are looked at by who asks for them. */
const Fleet = ({ workers, now }: { readonly workers: readonly Worker[]; readonly now: number }) => {
  const here = workers.filter(({ status }) => status !== 'gone').sort((a, b) => (a.id < b.id ? -1 : 1));
  const gone = workers
    .filter(({ status }) => status === 'gone')
    .sort((a, b) => (a.heartbeatAt > b.heartbeatAt ? -1 : 1));
  return (
    <div className="stack">
      {here.length > 0 ? (
        <Cards workers={here} now={now} />
      ) : (
        <section className="panel">
          <Empty title={gone.length === 0 ? 'No worker has ever been here' : 'No worker is online'}>
            <p>
              Sweeps wait until one comes. Start one on this or any other machine that reaches the database:
            </p>
            <pre className="mono">funnel worker --slots 2</pre>
          </Empty>
        </section>
      )}
      {gone.length === 0 ? null : (
        <details>
          <summary className="muted">
            {gone.length} {gone.length === 1 ? 'worker that is' : 'workers that are'} gone
          </summary>
          <div style={{ marginTop: 12 }}>
            <Cards workers={gone} now={now} />
          </div>
        </details>
      )}
    </div>
  );
};

export const WorkersView = () => {
  const state = useQuery(workersQuery);
  const now = useNow(heartbeatMs);
  const { refresh } = state;
  // Once per tick of the clock.
  useEffect(() => refresh(), [now, refresh]);
  return (
    <>
      <header className="page-head">
        <div className="page-head-text">
          <h1>Workers</h1>
          <p className="muted">
            Processes that train and attack. A worker takes as many stages at once as it has slots.
          </p>
        </div>
      </header>
      <Loaded state={state} height={200}>
        {({ items }) => <Fleet workers={items} now={now} />}
      </Loaded>
    </>
  );
};
