/** The cost of planning one more trial, in hashes and in computed sizes of networks. The tests count both, and do not measure time. */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { defaultLimits, SweepDefinition } from '@funnel/contracts';
import { afterEach, beforeEach, expect, it, type MockInstance, vi } from 'vitest';
import { buildPlan, countPlan, estimate, type Outline, outlineSweep } from '../src/index.ts';

/** `trials` configurations of FUNN that differ in γ: one initialisation, two more training stages for each trial, and three attacks. */
const sweep = (trials: number) =>
  SweepDefinition.parse({
    name: 'test',
    dataset: { name: 'glyphs' },
    attacks: ['fgsm', 'deepfool-l2', 'pgd-linf'],
    space: { gamma: { min: 1, max: 2, count: trials } },
  });

let hashes: MockInstance;
let splits: MockInstance;
beforeEach(() => {
  hashes = vi.spyOn(crypto, 'hash');
  syncBuiltinESMExports();
  splits = vi.spyOn(String.prototype, 'split'); // each computation of a size splits `filters`
});
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

/** Hashes, and sizes of networks, that a plan of a hundred more trials computes. */
const costOfMore = (plan: (outline: Outline) => unknown) => {
  const costOf = (trials: number) => {
    hashes.mockClear();
    splits.mockClear();
    const definition = sweep(trials);
    const outline = outlineSweep(definition, '1');
    estimate(definition, outline, defaultLimits);
    plan(outline);
    return { hashes: hashes.mock.calls.length, sizes: splits.mock.calls.length };
  };
  costOf(2); // what is computed once for a process
  const [few, many] = [costOf(100), costOf(200)];
  expect(few.sizes).toBeGreaterThan(0);
  return { hashes: many.hashes - few.hashes, sizes: many.sizes - few.sizes };
};

it('the numbers of a plan cost two hashes for each training stage, and none for attacks', () => {
  expect(costOfMore((outline) => countPlan(outline, new Map(), []))).toEqual({
    hashes: 100 * 2 * 2,
    sizes: 0,
  });
});

it('the rows of a sweep cost two hashes for each stage, and one for each configuration', () => {
  expect(costOfMore((outline) => buildPlan(outline, new Map()))).toEqual({
    hashes: 100 * (2 * 5 + 1),
    sizes: 0,
  });
});
