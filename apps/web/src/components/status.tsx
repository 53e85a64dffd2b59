import {
  countVerdictTexts,
  type StageStatus,
  type Submission,
  type Sweep,
  type SweepStatus,
  statusText,
  type TrialStatus,
  type TrialVerdict,
} from '@funnel/contracts';
import { formatProgress } from '../format.ts';

type AnyStatus =
  | StageStatus
  | SweepStatus
  | TrialStatus
  | Submission['status']
  | 'online'
  | 'draining'
  | 'gone'
  | 'set-aside';

/** Every status has its own shape and is also written out, because not everybody can distinguish the colours. */
const shapes: Record<AnyStatus, 'disc' | 'ring' | 'triangle' | 'diamond' | 'bars' | 'cross' | 'square'> = {
  completed: 'disc',
  online: 'disc',
  running: 'disc',
  retrying: 'disc',
  ready: 'ring',
  waiting: 'ring',
  pausing: 'bars',
  paused: 'bars',
  draining: 'bars',
  failed: 'cross',
  'completed-with-failures': 'cross',
  diverged: 'triangle',
  collapsed: 'diamond',
  cancelling: 'square',
  cancelled: 'square',
  deleting: 'square',
  skipped: 'square',
  gone: 'square',
  'set-aside': 'cross',
  refused: 'cross',
};

/** Statuses with the colour of another status. */
const tones: Partial<Record<AnyStatus, AnyStatus>> = {
  online: 'completed',
  draining: 'paused',
  gone: 'cancelled',
  'set-aside': 'failed',
  refused: 'failed',
  pausing: 'paused',
  retrying: 'running',
  cancelling: 'cancelled',
  deleting: 'cancelled',
  'completed-with-failures': 'failed',
};

const statusTone = (status: AnyStatus): string => {
  const tone = tones[status] ?? status;
  return `var(--${tone})`;
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
    {statusText(status)}
  </span>
);

const order: readonly TrialStatus[] = [
  'completed',
  'diverged',
  'collapsed',
  'failed',
  'cancelled',
  'running',
];

/** Sweeps whose trials have all ended by themselves. */
const showsEnds: readonly SweepStatus[] = ['completed', 'completed-with-failures', 'failed'];
const unfinished: readonly SweepStatus[] = ['pausing', 'paused', 'cancelling', 'cancelled', 'deleting'];

/**
 * The progress of a sweep. The filled part is the share of the work (epochs and attacks) that is done. When all trials have ended, the
 * colours show how.
 */
export const ProgressBar = ({ sweep }: { readonly sweep: Pick<Sweep, 'progress' | 'trials' | 'status'> }) => {
  const ended = order.filter((status) => status !== 'running' && (sweep.trials[status] ?? 0) > 0);
  const total = ended.reduce((sum, status) => sum + (sweep.trials[status] ?? 0), 0);
  const parts = total > 0 && showsEnds.includes(sweep.status) ? ended : [];
  const tone = statusTone(unfinished.includes(sweep.status) ? sweep.status : 'running');
  return (
    <div
      className="progress"
      role="progressbar"
      aria-label="Progress"
      aria-valuenow={Math.floor(100 * sweep.progress)}
      aria-valuemin={0}
      aria-valuemax={100}
      title={
        showsEnds.includes(sweep.status)
          ? `${formatProgress(sweep.progress)} of the trials completed`
          : `${formatProgress(sweep.progress)} of the work is done`
      }
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

export const verdictLabels: Record<TrialVerdict, string> = {
  ok: 'no flags',
  suspect: 'suspect',
  'too-few': 'too few images',
  masked: 'masked gradients',
  untrained: 'untrained',
};
const explanations: Record<TrialVerdict, string> = {
  ok: 'No check of the evaluation raised a flag.',
  suspect: 'A check found something unusual. Look at it before you trust this number.',
  'too-few': `Too few images: ${countVerdictTexts['too-few']}.`,
  masked: 'The attack failed because gradients are masked, not because the model is robust.',
  untrained: `Untrained: ${countVerdictTexts.untrained}.`,
};
/** In narrow cells. */
const briefLabels: Partial<Record<TrialVerdict, string>> = { masked: 'masked', 'too-few': 'too few' };

/** The verdict of an evaluation's checks, or of a trial. Every robustness number is shown with it. */
export const Verdict = ({
  verdict,
  brief = false,
}: {
  readonly verdict: TrialVerdict | null;
  readonly brief?: boolean;
}) => {
  if (verdict === null || (brief && verdict === 'ok')) return null;
  return (
    <span className="verdict" data-verdict={verdict} title={explanations[verdict]}>
      {verdict === 'ok' ? null : <span aria-hidden="true">{verdict === 'masked' ? '◪' : '?'}</span>}
      {(brief ? briefLabels[verdict] : null) ?? verdictLabels[verdict]}
    </span>
  );
};
