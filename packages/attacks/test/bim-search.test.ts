/** What ε means in a search of BIM: the search ends there unless `largestEpsilon` says otherwise. */
import { type AttackInput, attackSpec, reachOf, searchLimitOf } from '@funnel/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluateAttack } from '../src/index.ts';
import { tinyImages, tinyNetwork, useWasm } from './helpers/tiny.ts';

beforeAll(useWasm);

const images = 40;
const run = async (attack: object) => {
  const { model, dispose } = tinyNetwork(1);
  const { records, summary } = await evaluateAttack({
    model,
    ...tinyImages(model, images),
    attack: attack as AttackInput, // the union does not know that both attacks have the same settings
  });
  dispose();
  return { records, summary };
};

describe.each([
  ['bim', 'linf', [0.02, 0.05, 0.1]],
  ['bim-l2', 'l2', [0.1, 0.2, 0.4]],
] as const)('%s', (attack, norm, epsilons) => {
  it('fools the same images at ε with a search and without', async () => {
    for (const epsilon of epsilons)
      for (const stepSize of [epsilon / 6, epsilon]) {
        const fixed = await run({ attack, search: false, epsilon, stepSize });
        const searched = await run({ attack, search: true, epsilon, stepSize });
        expect(fixed.summary.successes).toBeGreaterThan(0);
        expect(fixed.summary.successes).toBeLessThan(images);
        expect(searched.records.success).toEqual(fixed.records.success);
        expect(searched.summary.robustAccuracy).toBe(fixed.summary.robustAccuracy);
        // The search finds changes that are no larger, and some that are smaller.
        expect(searched.summary.noiseLevel!).toBeLessThan(fixed.summary.noiseLevel!);
      }
  });

  it('goes as far as the largest ε, and no further', async () => {
    const [first, , last] = epsilons;
    const wide = await run({ attack, epsilon: first, stepSize: first / 6, largestEpsilon: last });
    const largest = Math.max(...wide.records[norm].map((distance) => distance ?? 0));
    expect(largest).toBeGreaterThan(reachOf(first));
    expect(largest).toBeLessThanOrEqual(reachOf(last));
    const atLast = await run({ attack, search: false, epsilon: last, stepSize: last / 6 });
    wide.records.success.forEach((success, i) => {
      if (atLast.records.success[i]) expect(success).toBe(true);
    });
  });

  it('starts at the largest ε if that is below ε', async () => {
    const [first, , last] = epsilons;
    const narrow = await run({ attack, epsilon: last, stepSize: last / 6, largestEpsilon: first });
    const fixed = await run({ attack, search: false, epsilon: first, stepSize: first / 6 });
    expect(narrow.records.success).toEqual(fixed.records.success);
  });

  it('has no limit with its default settings', async () => {
    expect((await run({ attack })).summary.successes).toBe(images);
    expect(searchLimitOf(attackSpec(attack))).toBe(Number.POSITIVE_INFINITY);
  });
});
