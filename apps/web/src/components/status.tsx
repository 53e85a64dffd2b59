import type { StageStatus, SweepStatus, TrialStatus } from '@funnel/contracts';

export type AnyStatus = StageStatus | SweepStatus | TrialStatus | 'online' | 'draining' | 'gone';

/** Colour never stands alone: every status has a shape of its own and is written beside it. */
const shapes: Record<AnyStatus, 'disc' | 'ring' | 'triangle' | 'diamond' | 'bars' | 'cross' | 'square'> = {
  completed: 'disc',
  online: 'disc',
  running: 'disc',
  ready: 'ring',
  waiting: 'ring',
  paused: 'bars',
  draining: 'bars',
  failed: 'cross',
  diverged: 'triangle',
  collapsed: 'diamond',
  cancelled: 'square',
  skipped: 'square',
  gone: 'square',
};

export const statusTone = (status: AnyStatus): string => {
  if (status === 'online') return 'var(--completed)';
  if (status === 'draining') return 'var(--paused)';
  if (status === 'gone') return 'var(--cancelled)';
  return `var(--${status})`;
};

const paths = {
  disc: <circle cx="5" cy="5" r="4.5" fill="currentColor" />,
  ring: <circle cx="5" cy="5" r="3.6" fill="none" stroke="currentColor" strokeWidth="1.8" />,
  triangle: <path d="M5 .5 9.8 9.3H.2z" fill="currentColor" />,
  diamond: <path d="M5 0 10 5 5 10 0 5z" fill="currentColor" />,
  bars: <path d="M1 .5h3v9H1zM6 .5h3v9H6z" fill="currentColor" />,
  cross: <path d="m1.2 1.2 7.6 7.6m0-7.6L1.2 8.8" stroke="currentColor" strokeWidth="2.2" />,
  square: <path d="M1 1h8v8H1z" fill="currentColor" />,
};

export const StatusMark = ({ status }: { readonly status: AnyStatus }) => (
  <svg className="status-mark" viewBox="0 0 10 10" aria-hidden="true" style={{ color: statusTone(status) }}>
    {paths[shapes[status]]}
  </svg>
);

export const Status = ({ status }: { readonly status: AnyStatus }) => (
  <span className="status" data-status={status}>
    <StatusMark status={status} />
    {status}
  </span>
);
