import type { Worker } from '@funnel/contracts';
import { Status } from '../../components/status.tsx';
import { formatAgo, formatBytes, formatCount, formatTime, shortHash } from '../../format.ts';

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
          {share === null ? '' : `epoch ${position?.epoch ?? 0} of ${epochs}`}
          {imagesPerSecond === null
            ? ''
            : `${share === null ? '' : ', '}${formatCount(imagesPerSecond)} images/s`}
        </span>
      </span>
      <span className="progress" style={{ visibility: share === null ? 'hidden' : undefined }}>
        <span style={{ width: `${100 * (share ?? 0)}%`, background: 'var(--running)' }} />
      </span>
    </li>
  );
};

export const WorkerCard = ({ worker, now }: { readonly worker: Worker; readonly now: number }) => {
  const speed = worker.running.reduce((sum, { imagesPerSecond }) => sum + (imagesPerSecond ?? 0), 0);
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
        <Status status={worker.status} />
      </header>
      {worker.status === 'gone' ? null : (
        <ul>
          {slots.map((running, i) => (
            <Slot key={running?.stage ?? `free-${i}`} running={running} />
          ))}
        </ul>
      )}
      <dl className="facts">
        {worker.status === 'gone' ? null : (
          <>
            <div className="fact">
              <dt>Throughput</dt>
              <dd>
                {formatCount(speed)} <small>images/s</small>
              </dd>
            </div>
            <div className="fact">
              <dt>Memory</dt>
              <dd>{formatBytes(worker.memoryBytes)}</dd>
            </div>
          </>
        )}
        <div className="fact">
          <dt>Last heard of</dt>
          <dd title={formatTime(worker.heartbeatAt)}>{formatAgo(worker.heartbeatAt, now)}</dd>
        </div>
      </dl>
    </section>
  );
};
