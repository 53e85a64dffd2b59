import type { SweepDetail, TrialStatus } from '@funnel/contracts';
import { ProgressBar } from '../../components/progress-bar.tsx';
import { Status, StatusMark } from '../../components/status.tsx';
import { useNow } from '../../components/use-now.ts';
import { formatAgo, formatCount, formatDuration, formatPercent, formatTime } from '../../format.ts';
import { href } from '../../router.ts';
import { SharingFact } from './sharing-fact.tsx';
import { SweepActions } from './sweep-actions.tsx';

const timeFact = (sweep: SweepDetail): { readonly title: string; readonly text: string } => {
  if (sweep.finishedAt !== null)
    return {
      title: 'Took',
      text: formatDuration((Date.parse(sweep.finishedAt) - Date.parse(sweep.createdAt)) / 1000),
    };
  if (sweep.status === 'paused') return { title: 'Time left', text: 'paused' };
  return { title: 'Time left', text: formatDuration(sweep.etaSeconds) };
};

/** What is done first, what is to come last. */
const order: readonly TrialStatus[] = [
  'completed',
  'diverged',
  'collapsed',
  'failed',
  'cancelled',
  'running',
  'waiting',
];

export const SweepHeader = ({ sweep }: { readonly sweep: SweepDetail }) => {
  const now = useNow();
  const time = timeFact(sweep);
  const counts = order.flatMap((status) =>
    sweep.trials[status] ? [[status, sweep.trials[status]] as const] : [],
  );
  return (
    <>
      <header className="page-head">
        <div className="page-head-text">
          <p className="crumbs">
            <a href={href(['sweeps'])}>Sweeps</a>
          </p>
          <h1>{sweep.name}</h1>
          <p className="row muted">
            <Status status={sweep.status} />
            <span title={formatTime(sweep.createdAt)}>created {formatAgo(sweep.createdAt, now)}</span>
            <span className="mono small">{sweep.id}</span>
          </p>
          {sweep.definition.description === '' ? null : (
            <p style={{ maxWidth: '80ch' }}>{sweep.definition.description}</p>
          )}
        </div>
        <SweepActions sweep={sweep} />
      </header>
      <section className="panel sweep-facts" aria-label="Progress">
        <dl className="facts">
          <div className="fact sweep-progress">
            <dt>Progress</dt>
            <dd>
              {formatPercent(sweep.progress, sweep.progress < 1 ? 1 : 0)}{' '}
              <small>
                {counts.map(([status, count]) => (
                  <span key={status} className="sweep-count">
                    <StatusMark status={status} /> {formatCount(count)} {status}
                  </span>
                ))}
              </small>
              <ProgressBar sweep={sweep} />
            </dd>
          </div>
          <div className="fact">
            <dt>{time.title}</dt>
            <dd>{time.text}</dd>
          </div>
          <SharingFact sweep={sweep} />
        </dl>
      </section>
    </>
  );
};
