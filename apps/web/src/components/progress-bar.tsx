import type { Sweep, TrialStatus } from '@funnel/contracts';
import { formatPercent } from '../format.ts';
import { statusTone } from './status.tsx';

const order: readonly TrialStatus[] = [
  'completed',
  'diverged',
  'collapsed',
  'failed',
  'cancelled',
  'running',
];

/**
 * How far a sweep is. The length of the filled part is the work done (epochs and attacks); ended trials colour it by how they ended, so
 * that trouble is seen from afar.
 */
export const ProgressBar = ({ sweep }: { readonly sweep: Pick<Sweep, 'progress' | 'trials' | 'status'> }) => {
  const ended = order.filter((status) => status !== 'running' && (sweep.trials[status] ?? 0) > 0);
  const total = ended.reduce((sum, status) => sum + (sweep.trials[status] ?? 0), 0);
  const parts = total === 0 || sweep.progress < 1 ? [] : ended;
  const tone =
    sweep.status === 'paused'
      ? 'var(--paused)'
      : sweep.status === 'cancelled'
        ? 'var(--cancelled)'
        : 'var(--running)';
  return (
    <div
      className="progress"
      role="progressbar"
      aria-label="Progress"
      aria-valuenow={Math.round(100 * sweep.progress)}
      aria-valuemin={0}
      aria-valuemax={100}
      title={`${formatPercent(sweep.progress)} of the work`}
    >
      {parts.length > 0 ? (
        parts.map((status) => (
          <span
            key={status}
            style={{
              width: `${(100 * (sweep.trials[status] ?? 0)) / total}%`,
              background: statusTone(status),
            }}
          />
        ))
      ) : (
        <span style={{ width: `${100 * sweep.progress}%`, background: tone }} />
      )}
    </div>
  );
};
