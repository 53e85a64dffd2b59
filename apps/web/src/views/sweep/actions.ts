import type { RouteName, Sweep } from '@funnel/contracts';

export type Action = Extract<
  RouteName,
  'pauseSweep' | 'resumeSweep' | 'cancelSweep' | 'retrySweep' | 'deleteSweep'
>;

export const titles: Record<Action, string> = {
  pauseSweep: 'Pause',
  resumeSweep: 'Resume',
  retrySweep: 'Retry failed',
  cancelSweep: 'Cancel',
  deleteSweep: 'Delete',
};

/** What can be done in this status, and no more: a cancelled sweep takes no retry, it is the start of another one. The server decides in the end. */
export const actionsOf = ({ status, trials }: Pick<Sweep, 'status' | 'trials'>): Action[] => {
  const retry: Action[] = (trials.failed ?? 0) > 0 ? ['retrySweep'] : [];
  if (status === 'running') return ['pauseSweep', ...retry, 'cancelSweep'];
  if (status === 'paused') return ['resumeSweep', ...retry, 'cancelSweep'];
  if (status === 'cancelled') return ['deleteSweep'];
  return [...retry, 'deleteSweep'];
};
