/** Summaries, intervals, curves and the worst case per image, on records written by hand. */
import {
  type AttackInput,
  attackSpec,
  type EvaluationRecords,
  EvaluationSummary,
  EvaluationRecords as RecordsSchema,
} from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { median, robustnessCurve, summarise, wilsonInterval, worstCase } from '../src/index.ts';

/** Rows of [correct, l2, linf]; null: not fooled. */
const recordsOf = (
  rows: readonly (readonly [boolean, number | null, number | null])[],
): EvaluationRecords => ({
  index: rows.map((_, i) => 10 + i),
  label: rows.map(() => 0),
  correct: rows.map(([correct]) => correct),
  predicted: rows.map(([correct, l2]) => (correct && l2 === null ? 0 : 1)),
  success: rows.map(([, l2]) => l2 !== null),
  l2: rows.map(([, l2]) => l2),
  linf: rows.map(([, , linf]) => linf),
  l0: rows.map(([, l2]) => (l2 === null ? null : 3)),
  steps: rows.map(() => 2),
  queries: rows.map(() => 5),
});
const evaluated = (attack: AttackInput, records: EvaluationRecords) => ({
  attack: attackSpec(attack),
  records,
});

const records = recordsOf([
  [true, 1, 0.1],
  [true, 3, 0.3],
  [true, null, null],
  [false, null, null],
]);

const options = { width: 100, hasBudget: true };

describe('summarise', () => {
  it('has no robust accuracy under an attack without a fixed ε', () => {
    const summary = summarise(records, { ...options, hasBudget: false });
    expect(summary).toMatchObject({ successRate: 2 / 3, robustAccuracy: null, robustInterval: null });
  });

  it('counts only the images that the attack got, if it did not get all', () => {
    expect(summarise(records, { ...options, attacked: [1, 2] })).toMatchObject({
      ...{
        images: 4,
        attempted: 2,
        cleanAccuracy: 0.75,
        successes: 1,
        successRate: 0.5,
        robustAccuracy: 0.25,
      },
    });
  });

  it('divides by the correctly classified images, and counts failures as infinite distances', () => {
    const summary = summarise(records, options);
    expect(summary).toMatchObject({
      images: 4,
      attempted: 3,
      cleanAccuracy: 0.75,
      successes: 2,
      successRate: 2 / 3,
      robustAccuracy: 0.25,
      noiseLevel: 2,
      noiseLevelAll: 4 / 3,
      meanSquaredError: expect.closeTo(0.05), // (1² + 3²) / 2 / 100
      medianL2Success: 2,
      medianL2: 3,
      medianLinf: 0.3,
      medianL0: 3,
      meanQueries: 5,
      meanSteps: 2,
    });
    expect(EvaluationSummary.parse(summary)).toEqual(summary);
    expect(RecordsSchema.parse(records)).toEqual(records);
  });

  it('counts a failure as 0 in the noise level over all images, also one with a distance outside the balls', () => {
    const outside = { ...records, success: [true, false, false, false] };
    expect(summarise(outside, options)).toMatchObject({ noiseLevel: 1, noiseLevelAll: 1 / 3, medianL2: 3 });
  });

  it('writes an infinity as the text "Infinity", and never a NaN', () => {
    const nothing = summarise(recordsOf([[true, null, null]]), options);
    expect(nothing).toMatchObject({
      successRate: 0,
      noiseLevel: null,
      medianL2: 'Infinity',
      medianLinf: 'Infinity',
      medianL0: 'Infinity',
      noiseLevelAll: 0,
    });
    expect(EvaluationSummary.parse(JSON.parse(JSON.stringify(nothing)))).toEqual(nothing);
    const empty = summarise(recordsOf([]), options);
    expect(empty).toMatchObject({ attempted: 0, medianL2: null, medianLinf: null, medianL0: null });
    expect(EvaluationSummary.parse(JSON.parse(JSON.stringify(empty)))).toEqual(empty);
    // Only images that are misclassified when clean: the attack had nothing to do, which is not a failure.
    const untouched = summarise(recordsOf([[false, null, null]]), options);
    expect(untouched).toMatchObject({
      ...{ attempted: 0, cleanAccuracy: 0, medianL2: null },
      ...{ successRate: null, successInterval: null, robustAccuracy: null, robustInterval: null },
    });
    expect(EvaluationSummary.parse(untouched)).toEqual(untouched);
  });

  it('has an infinite median when the attack fails on half of the images', () => {
    expect(
      summarise(
        recordsOf([
          [true, 1, 1],
          [true, null, null],
        ]),
        options,
      ).medianL2,
    ).toBe('Infinity');
  });
});

describe('wilsonInterval', () => {
  it.each([
    [0, 0, 0, 1],
    [0, 10, 0, 0.2775],
    [10, 10, 0.7225, 1],
    [900, 1000, 0.87985, 0.9171],
  ])('of %i in %i is [%f, %f]', (successes, trials, low, high) => {
    const interval = wilsonInterval(successes, trials);
    expect(interval[0]).toBeCloseTo(low, 4);
    expect(interval[1]).toBeCloseTo(high, 4);
  });
});

describe('median', () => {
  it.each([
    [[], null],
    [[3, 1, 2], 2],
    [[1, 2, 3, 4], 2.5],
    [[1, Number.POSITIVE_INFINITY], Number.POSITIVE_INFINITY],
    [[Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY], Number.POSITIVE_INFINITY],
    [[1, 2, Number.POSITIVE_INFINITY], 2],
  ])('of %j is %j', (values, expected) => {
    expect(median(values)).toBe(expected);
  });
});

describe('worstCase and robustnessCurve', () => {
  const other = recordsOf([
    [true, 2, 0.05],
    [true, null, null],
    [true, 4, 0.4],
    [false, null, null],
  ]);
  const both = [evaluated('fgsm', records), evaluated('deepfool-l2', other)];

  it('takes for every image the nearest adversarial in each norm', () => {
    const worst = worstCase(both);
    expect(worst.success).toEqual([true, true, true, false]);
    expect(worst.l2).toEqual([1, 3, 4, null]);
    expect(worst.linf).toEqual([0.05, 0.3, 0.4, null]);
    expect(worst.queries).toEqual([10, 10, 10, 10]);
    expect(records.success).toEqual([true, true, false, false]); // the evaluations themselves do not change
  });

  it('falls from the clean accuracy to the share of images that no attack of the norm fools', () => {
    const curve = robustnessCurve(both, 'l2', [0, 0.9, 1, 2, 5]);
    expect(curve).toMatchObject({
      norm: 'l2',
      images: 4,
      attacks: ['deepfool-l2'],
      accuracy: [0.75, 0.75, 0.75, 0.5, 0.25], // fgsm works in L∞, so its change of L2 1 does not count
    });
    expect(robustnessCurve(both, 'linf', [0.05, 0.1]).accuracy).toEqual([0.75, 0.5]);
  });

  it('refuses evaluations of other images', () => {
    const elsewhere = { ...other, index: [0, 1, 2, 3] };
    expect(() => worstCase([both[0]!, evaluated('fgsm', elsewhere)])).toThrow(/same images/);
    const others = { ...records, label: records.label.map(() => 1) };
    expect(() => worstCase([both[0]!, evaluated('fgsm', others)])).toThrow(/their labels differ/);
    expect(() => worstCase([])).toThrow(/at least one/);
  });
});

describe('the Wilson interval', () => {
  it('ends where the observed share is 1.96 standard errors away', () => {
    for (const [k, n] of [
      [1, 10],
      [5, 10],
      [966, 1000],
      [3, 7],
    ] as const)
      for (const end of wilsonInterval(k, n)) {
        const error = Math.sqrt((end * (1 - end)) / n);
        expect(Math.abs(k / n - end) / error).toBeCloseTo(1.959963984540054, 9);
      }
  });

  it('agrees with published values for 0 and all of 10', () => {
    expect(wilsonInterval(0, 10)[1]).toBeCloseTo(0.2775, 4);
    expect(wilsonInterval(10, 10)[0]).toBeCloseTo(0.7225, 4);
    expect(wilsonInterval(0, 10)[0]).toBe(0);
  });

  it('is [0, 1] for no images', () => {
    expect(wilsonInterval(0, 0)).toEqual([0, 1]);
  });
});
