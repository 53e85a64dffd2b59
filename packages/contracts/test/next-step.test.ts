import { expect, it } from 'vitest';
import { nextStep, type Sweep } from '../src/index.ts';

const sweep = (status: Sweep['status'], trials: Sweep['trials']) =>
  ({
    status,
    trials,
    epochsTrained: 1234,
    plan: { trials: 9, epochs: { needed: 5000 } },
    action: null,
  }) as Sweep;

it.each([
  ['running', { running: 9 }, null],
  ['completed', { completed: 9 }, null],
  ['paused', { waiting: 9 }, ['resumeSweep', 'No stage starts until the sweep is resumed.']],
  [
    'cancelled',
    { completed: 3, cancelled: 6 },
    [
      'createSweep',
      'Kept: 3 of 9 trials, 1,234 of 5,000 epochs. To go on, submit the sweep again: it computes nothing twice.',
    ],
  ],
  [
    'failed',
    { collapsed: 9 },
    [null, '9 trials diverged or collapsed, and would do so again. Change the search space.'],
  ],
  [
    'completed-with-failures',
    { completed: 6, failed: 2, diverged: 1 },
    [
      'retrySweep',
      'A retry gives the 2 trials that failed new attempts. 1 trial diverged or collapsed, and would do so again.',
    ],
  ],
] as const)('what to do about a sweep that is %s', (status, trials, expected) => {
  const step = nextStep(sweep(status, trials));
  expect(step && [step.route, step.text]).toEqual(expected);
});

it('says how far an action on a large sweep is', () => {
  const paused = sweep('pausing', { waiting: 9 });
  const step = nextStep({ ...paused, action: { name: 'pause', done: 2000, total: 400_000 } });
  expect(step?.text).toMatch(/The pause goes on: 2,000 of 400,000 stages\.$/);
  expect(step?.route).toBe('resumeSweep');
  const retried = {
    ...sweep('retrying', { failed: 9 }),
    action: { name: 'retry', done: 2000, total: 400_000 },
  } as const;
  expect(nextStep(retried)).toEqual({
    text: 'Failed stages get new attempts. The retry goes on: 2,000 of 400,000 stages and trials.',
    route: null,
  });
});
