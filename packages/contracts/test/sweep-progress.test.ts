/** How far a sweep is: one rounding of its progress, and the epochs with those of other sweeps. */
import { expect, it } from 'vitest';
import { elsewhereText, progressPercent, type Sweep, sharingOf } from '../src/index.ts';

it('rounds down, so only a sweep without work left has 100', () => {
  expect([0, 0.1786, 0.29, 0.57, 0.9996, 1].map(progressPercent)).toEqual([
    ...['0.0', '17.8', '29.0', '57.0', '99.9', '100'],
  ]);
});

const sweep = (unshared: number, needed: number, elsewhere = 0): Sweep =>
  ({
    epochsTrained: 0,
    epochs: { done: needed + elsewhere, total: needed + elsewhere },
    plan: {
      epochs: { unshared, needed, cached: elsewhere },
      ...(elsewhere > 0 && { awaited: { epochs: elsewhere, attacks: 1, sweeps: [] } }),
    },
  }) as unknown as Sweep;

it('counts what sharing saves against the epochs that any sweep trains', () => {
  expect(sharingOf(sweep(24, 0, 3))).toEqual({ saved: 21, factor: 8 });
  expect(elsewhereText(sweep(24, 0, 3))).toBe('3 of them in other sweeps');
  expect(sharingOf(sweep(24, 12))).toEqual({ saved: 12, factor: 2 });
  expect(elsewhereText(sweep(24, 12))).toBeNull();
  expect(sharingOf(sweep(24, 0))).toEqual({ saved: 24, factor: null });
  expect(sharingOf(sweep(12, 12))).toBeNull();
});

it('has no words for a sweep of which only attacks are in other sweeps', () => {
  const attacksOnly = { plan: { awaited: { epochs: 0, attacks: 2, sweeps: [] } } } as unknown as Sweep;
  expect(elsewhereText(attacksOnly)).toBeNull();
});
