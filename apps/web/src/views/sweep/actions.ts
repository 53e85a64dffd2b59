import type { RouteName, Sweep } from '@funnel/contracts';

export type Action = Extract<
  RouteName,
  'pauseSweep' | 'resumeSweep' | 'cancelSweep' | 'retrySweep' | 'deleteSweep'
>;

export const actionTitles: Record<Action, string> = {
  pauseSweep: 'Pause',
  resumeSweep: 'Resume',
  retrySweep: 'Retry failed',
  cancelSweep: 'Cancel',
  deleteSweep: 'Delete',
};

/** The actions that the server accepts in this status. A cancelled sweep cannot be retried. */
export const actionsOf = ({ status, trials }: Pick<Sweep, 'status' | 'trials'>): Action[] => {
  const retry: Action[] = (trials.failed ?? 0) > 0 ? ['retrySweep'] : [];
  if (status === 'running') return ['pauseSweep', ...retry, 'cancelSweep'];
  if (status === 'retrying') return ['pauseSweep', 'cancelSweep'];
  if (status === 'pausing' || status === 'paused') return ['resumeSweep', ...retry, 'cancelSweep'];
  if (status === 'cancelling' || status === 'cancelled') return ['deleteSweep'];
  return [...retry, 'deleteSweep'];
};
