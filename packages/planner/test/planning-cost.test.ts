/** The cost of planning one more trial, in hashes and in computed sizes of networks. The tests count both, and do not measure time. */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { defaultLimits, SweepDefinition } from '@funnel/contracts';
import { afterEach, expect, it, vi } from 'vitest';
import { buildPlan, estimate, outlineSweep } from '../src/index.ts';

/** `trials` configurations of FUNN that differ in γ: one initialisation, and three stages for each trial. */
const sweep = (trials: number) =>
  SweepDefinition.parse({
    name: 'test',
    dataset: { name: 'glyphs' },
    attacks: ['fgsm'],
    space: { gamma: { min: 1, max: 2, count: trials } },
  });

const plan = (definition: SweepDefinition) => {
  const outline = outlineSweep(definition, '1');
  estimate(definition, outline, defaultLimits);
  return buildPlan(outline, new Map()).plan;
};

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

it('a hundred more trials compute no more sizes of networks, and two hashes per stage and one per configuration', () => {
  plan(sweep(2)); // what is computed once for a process
  const hashes = vi.spyOn(crypto, 'hash');
  syncBuiltinESMExports();
  const splits = vi.spyOn(String.prototype, 'split'); // each computation of a size splits `filters`
  const costOf = (trials: number) => {
    hashes.mockClear();
    splits.mockClear();
    expect(plan(sweep(trials)).stages.attack.total).toBe(trials);
    return { hashes: hashes.mock.calls.length, sizes: splits.mock.calls.length };
  };
  const [few, many] = [costOf(100), costOf(200)];
  expect(few.sizes).toBeGreaterThan(0);
  expect(many.sizes).toBe(few.sizes);
  expect(many.hashes - few.hashes).toBe(100 * (1 + 3 * 2));
});
