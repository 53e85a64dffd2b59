import { describeRefusals, totalSpeed, type Worker } from '@funnel/contracts';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNow } from '../../components/hooks.ts';
import { LogLines } from '../../components/log-lines.tsx';
import { Empty, ErrorNotice, Loaded, Skeleton } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { call } from '../../data/api.ts';
import { workerLogQuery, workersQuery } from '../../data/queries.ts';
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatTime,
  plural,
  shortHash,
  speedText,
} from '../../format.ts';
import './workers.css';

/** Heartbeats (memory, speed) are not events, so this page fetches them with this pause. */
const heartbeatMs = 5000;

const Slot = ({ running }: { readonly running: Worker['running'][number] | undefined }) => {
  if (!running) return <li className="slot muted">free</li>;
  const { kind, position, epochs, imagesPerSecond, stage } = running;
  const share = kind === 'attack' || epochs === 0 ? null : (position?.epoch ?? 0) / epochs;
  return (
    <li className="slot">
      <span className="row" style={{ justifyContent: 'space-between' }}>
        <span>
          {kind} <span className="mono small muted">{shortHash(stage)}</span>
        </span>
        <span className="small muted">
          {[share === null ? '' : `epoch ${position?.epoch ?? 0} of ${epochs}`, speedText(imagesPerSecond)]
            .filter((part) => part !== '')
            .join(', ')}
        </span>
      </span>
      <span className="progress" style={{ visibility: share === null ? 'hidden' : undefined }}>
        <span style={{ width: `${100 * (share ?? 0)}%`, background: 'var(--running)' }} />
      </span>
    </li>
  );
};

/** Why the worker gets fewer stages than it could, and a button that lets it try everything again. */
const Troubles = ({ worker, now }: { readonly worker: Worker; readonly now: number }) => {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  const { setAside, refusals } = worker;
  if (worker.status === 'gone' || (setAside === null && refusals.length === 0)) return null;
  const restore = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await call('restoreWorker', { params: { id: worker.id } });
      await client.invalidateQueries({ queryKey: workersQuery.queryKey });
    } catch (fault) {
      setError(fault);
    }
    setBusy(false);
  };
  return (
    <div className="worker-troubles stack">
      {setAside === null ? null : (
        <p>
          <strong>Set aside</strong>{' '}
          <span title={formatTime(setAside.since)}>{formatAgo(setAside.since, now)}</span>: it failed{' '}
          {setAside.failures} times in a row, and others completed the same stages. It gets a stage to try at{' '}
          {formatTime(setAside.probeAt)}.
        </p>
      )}
      {refusals.length === 0 ? null : (
        <>
          <p>It handed these stages back, and takes no others like them until it has what they need:</p>
          <ul className="worker-refusals">
            {describeRefusals(refusals).map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </>
      )}
      <button type="button" className="button" disabled={busy} onClick={() => void restore()}>
        Let it try everything again
      </button>
      <ErrorNotice error={error} />
    </div>
  );
};

/** The newest attempts of the worker. Fetched while it is open. */
const Log = ({ id }: { readonly id: string }) => {
  const [isOpen, setOpen] = useState(false);
  const { data, error } = useQuery({
    ...workerLogQuery(id),
    enabled: isOpen,
    refetchInterval: heartbeatMs,
  });
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary className="muted">Log</summary>
      {!isOpen ? null : data === undefined ? (
        error === null ? (
          <Skeleton height={80} />
        ) : (
          <ErrorNotice error={error} />
        )
      ) : data.items.length === 0 ? (
        <p className="muted">It has run nothing yet.</p>
      ) : (
        <LogLines
          lines={data.items}
          label={`Log of worker ${id}, oldest line first`}
          about={({ kind, stage }) => `${kind} ${shortHash(stage)} `}
        />
      )}
    </details>
  );
};

const dataText = ({ datasets }: Worker): string | null => {
  if (datasets === null) return null;
  const names = datasets.map(({ name, images }) => `${name} (${formatCount(images)})`);
  return names.join(', ') || 'none';
};

const WorkerCard = ({ worker, now }: { readonly worker: Worker; readonly now: number }) => {
  const speed = speedText(totalSpeed(worker.running));
  const data = dataText(worker);
  const slots = Array.from(
    { length: Math.max(worker.slots, worker.running.length) },
    (_, i) => worker.running[i],
  );
  return (
    <section className="panel worker" aria-label={`Worker ${worker.id}`} data-status={worker.status}>
      <header>
        <div>
          <h2>{worker.device}</h2>
          <p className="muted small">
            {worker.host}, process {worker.pid}, {worker.backend}, version {worker.version}, up since{' '}
            {formatTime(worker.startedAt)}
          </p>
        </div>
        <Status status={worker.setAside === null ? worker.status : 'set-aside'} />
      </header>
      {worker.status === 'gone' ? null : (
        <ul>
          {slots.map((running, i) => (
            <Slot key={running?.stage ?? `free-${i}`} running={running} />
          ))}
        </ul>
      )}
      <Troubles worker={worker} now={now} />
      <dl className="facts">
        {worker.status === 'gone' ? null : (
          <>
            {speed === '' ? null : (
              <div className="fact">
                <dt>Throughput</dt>
                <dd title="Training and attacks together">{speed}</dd>
              </div>
            )}
            <div className="fact">
              <dt>Memory</dt>
              <dd>
                {formatBytes(worker.memoryBytes)}{' '}
                {worker.trainerBytes === null ? null : (
                  <small>{formatBytes(worker.trainerBytes)} for each trainer</small>
                )}
              </dd>
            </div>
            {data === null ? null : (
              <div className="fact">
                <dt>Data sets</dt>
                <dd title="With the number of images of each split">{data}</dd>
              </div>
            )}
          </>
        )}
        <div className="fact">
          <dt>Last heartbeat</dt>
          <dd title={formatTime(worker.heartbeatAt)}>{formatAgo(worker.heartbeatAt, now)}</dd>
        </div>
      </dl>
      <Log id={worker.id} />
    </section>
  );
};

const Cards = ({ workers, now }: { readonly workers: readonly Worker[]; readonly now: number }) => (
  <div className="workers">
    {workers.map((worker) => (
      <WorkerCard key={worker.id} worker={worker} now={now} />
    ))}
  </div>
);

/** The workers. Every restart leaves an entry of a worker that is gone, so these entries are folded away. */
const Fleet = ({ workers, now }: { readonly workers: readonly Worker[]; readonly now: number }) => {
  const connected = workers.filter(({ status }) => status !== 'gone').sort((a, b) => (a.id < b.id ? -1 : 1));
  const gone = workers
    .filter(({ status }) => status === 'gone')
    .sort((a, b) => (a.heartbeatAt > b.heartbeatAt ? -1 : 1));
  return (
    <div className="stack">
      {connected.length > 0 ? (
        <Cards workers={connected} now={now} />
      ) : (
        <section className="panel">
          <Empty title={gone.length === 0 ? 'No worker has ever connected' : 'No worker is online'}>
            <p>Sweeps wait until a worker starts. Start one on any machine that can reach the database:</p>
            <pre className="mono">npx funnel worker --slots 2</pre>
          </Empty>
        </section>
      )}
      {gone.length === 0 ? null : (
        <details>
          <summary className="muted">
            {plural(gone.length, 'worker that is', 'workers that are')} gone
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
  const state = useQuery({ ...workersQuery, refetchInterval: heartbeatMs, refetchOnMount: 'always' });
  const now = useNow(heartbeatMs);
  return (
    <>
      <header className="page-head">
        <div className="page-head-text">
          <h1>Workers</h1>
          <p className="muted">Workers train and attack models. Each slot of a worker runs one stage.</p>
        </div>
      </header>
      <Loaded state={state} height={200}>
        {({ items }) => <Fleet workers={items} now={now} />}
      </Loaded>
    </>
  );
};
