/** What a person can do about a sweep that does not run to its end by itself. */
import type { Sweep } from './resources/sweeps.ts';
import { epochsOf } from './sweep-epochs.ts';
import { formatAmount, plural } from './text.ts';

type Known = Pick<Sweep, 'status' | 'trials' | 'plan' | 'epochs' | 'epochsTrained' | 'action'>;

export type NextStep = {
  /** The state in one or two sentences: what was kept, and what happens next. */
  readonly text: string;
  /** The route that goes on: `createSweep` means to submit the same definition again. Null: nothing to do. */
  readonly route: 'resumeSweep' | 'retrySweep' | 'createSweep' | null;
};

const keptText = (sweep: Known): string => {
  const { done, total } = epochsOf(sweep);
  return `Kept: ${formatAmount(sweep.trials.completed ?? 0)} of ${plural(sweep.plan.trials, 'trial')}, ${formatAmount(done)} of ${plural(total, 'epoch')}.`;
};

const afterFailures = ({ trials }: Known): NextStep => {
  const failed = trials.failed ?? 0;
  const ended = (trials.diverged ?? 0) + (trials.collapsed ?? 0);
  const results =
    ended === 0 ? '' : `${plural(ended, 'trial')} diverged or collapsed, and would do so again.`;
  if (failed === 0)
    return { text: [results, 'Change the search space.'].filter(Boolean).join(' '), route: null };
  const retry = `A retry gives ${failed === 1 ? 'the failed trial' : `the ${plural(failed, 'trial')} that failed`} new attempts.`;
  return { text: [retry, results].filter(Boolean).join(' '), route: 'retrySweep' };
};

/** Null while the sweep runs, and when every trial completed. Says how far an action on a large sweep is. */
export const nextStep = (sweep: Known): NextStep | null => {
  const step = stepOf(sweep);
  if (!sweep.action) return step;
  const { name, done, total } = sweep.action;
  const things = name === 'retry' ? 'stages and trials' : 'stages';
  const text = `The ${nouns[name]} goes on: ${formatAmount(done)} of ${formatAmount(total)} ${things}.`;
  return {
    text: step ? `${step.text} ${text}` : text,
    route: name === 'delete' ? null : (step?.route ?? null),
  };
};

const nouns = {
  connect: 'connection with the stages of other sweeps',
  pause: 'pause',
  resume: 'resumption',
  cancel: 'cancellation',
  delete: 'deletion',
  retry: 'retry',
} as const;

const stepOf = (sweep: Known): NextStep | null => {
  switch (sweep.status) {
    case 'running':
    case 'completed':
      return null;
    case 'pausing':
      return {
        text: 'Running stages stop at their next checkpoint. No stage starts until the sweep is resumed.',
        route: 'resumeSweep',
      };
    case 'paused':
      return { text: 'No stage starts until the sweep is resumed.', route: 'resumeSweep' };
    case 'retrying':
      return { text: 'Failed stages get new attempts.', route: null };
    case 'cancelling':
      return { text: `Trainers are stopping. ${keptText(sweep)}`, route: null };
    case 'deleting':
      return {
        text: 'Its trials, and the stages that no other sweep needs, are being deleted.',
        route: null,
      };
    case 'cancelled':
      return {
        text: `${keptText(sweep)} To go on, submit the sweep again: it computes nothing twice.`,
        route: 'createSweep',
      };
    case 'failed':
    case 'completed-with-failures':
      return afterFailures(sweep);
  }
};
