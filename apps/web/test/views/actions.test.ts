import { describe, expect, it } from 'vitest';
import { actionsOf } from '../../src/views/sweep/actions.ts';

describe('the actions of a sweep', () => {
  it.each([
    ['running', 0, ['pauseSweep', 'cancelSweep']],
    ['running', 1, ['pauseSweep', 'retrySweep', 'cancelSweep']],
    ['retrying', 1, ['pauseSweep', 'cancelSweep']],
    ['paused', 1, ['resumeSweep', 'retrySweep', 'cancelSweep']],
    ['pausing', 0, ['resumeSweep', 'cancelSweep']],
    ['failed', 1, ['retrySweep', 'deleteSweep']],
    ['completed-with-failures', 1, ['retrySweep', 'deleteSweep']],
    ['cancelling', 0, ['deleteSweep']],
    ['completed', 0, ['deleteSweep']],
    ['completed', 1, ['retrySweep', 'deleteSweep']],
    ['cancelled', 1, ['deleteSweep']],
  ] as const)('%s, %i failed', (status, failed, actions) => {
    expect(actionsOf({ status, trials: { failed } })).toEqual(actions);
  });
});
