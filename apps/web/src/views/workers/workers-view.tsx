import { useEffect } from 'react';
import { Empty, Loaded } from '../../components/states.tsx';
import { useNow } from '../../components/use-now.ts';
import { workersQuery } from '../../data/queries.ts';
import { useQuery } from '../../data/use-query.ts';
import { WorkerCard } from './worker-card.tsx';
import './workers.css';

/** Heartbeats (memory, speed) are no events: while this page is seen they are asked for this often. */
const heartbeatMs = 5000;

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
        {({ items }) =>
          items.length === 0 ? (
            <section className="panel">
              <Empty title="No worker has ever been here">
                <p>
                  Sweeps wait until one comes. Start one on this or any other machine that reaches the
                  database:
                </p>
                <pre className="mono">funnel worker --slots 2</pre>
              </Empty>
            </section>
          ) : (
            <div className="workers">
              {[...items]
                .sort(
                  (a, b) =>
                    Number(a.status === 'gone') - Number(b.status === 'gone') || (a.id < b.id ? -1 : 1),
                )
                .map((worker) => (
                  <WorkerCard key={worker.id} worker={worker} now={now} />
                ))}
            </div>
          )
        }
      </Loaded>
    </>
  );
};
