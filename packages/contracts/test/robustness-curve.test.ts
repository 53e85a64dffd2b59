/** Robust accuracy over ε on records written by hand: which attacks count at which ε, and in which norms there is nothing to say. */
import { describe, expect, it } from 'vitest';
import {
  attackSpec,
  curveText,
  type EvaluationRecords,
  fixedRadii,
  type RunRecords,
  robustnessCurve,
  worstCaseHas,
  worstDistances,
} from '../src/index.ts';

/** Per image: the L∞ distance at which the attack fooled it; null if it never did; 'wrong' if the clean image was misclassified. */
const records = (falls: readonly (number | null | 'wrong')[]): EvaluationRecords => ({
  index: falls.map((_, i) => i),
  label: falls.map(() => 0),
  correct: falls.map((fall) => fall !== 'wrong'),
  predicted: falls.map(() => 1),
  success: falls.map((fall) => typeof fall === 'number'),
  l2: falls.map((fall) => (typeof fall === 'number' ? 10 * fall : null)),
  linf: falls.map((fall) => (typeof fall === 'number' ? fall : null)),
  l0: falls.map(() => null),
  steps: falls.map(() => 1),
  queries: falls.map(() => 1),
});

const met = (input: Parameters<typeof attackSpec>[0], falls: Parameters<typeof records>[0]): RunRecords => ({
  ...attackSpec(input),
  records: records(falls),
});

/** The four attacks of the L∞ AutoAttack at ε 0.1: two of four images fall at 0.1, and FAB alone finds smaller changes, of one image. */
const autoAttack = [
  met({ attack: 'apgd-ce-linf', epsilon: 0.1 }, [0.1, 0.1, null, 'wrong']),
  met({ attack: 'apgd-t-linf', epsilon: 0.1 }, [0.1, null, null, 'wrong']),
  met({ attack: 'fab-t-linf', epsilon: 0.1 }, [0.04, 0.2, 0.3, 'wrong']),
  met({ attack: 'square-linf', epsilon: 0.1 }, [null, Math.fround(0.1), null, 'wrong']),
];

describe('the curve', () => {
  it('counts attacks at a fixed ε at this ε only, and elsewhere those that search for the smallest change', () => {
    const { accuracy, images, attacks } = robustnessCurve(
      autoAttack,
      'linf',
      [0, 0.03, 0.04, 0.09, 0.1, 0.15, 0.2, 0.3],
    );
    expect(images).toBe(4);
    expect(attacks).toEqual(['apgd-ce-linf', 'apgd-t-linf', 'fab-t-linf', 'square-linf']);
    expect(accuracy).toEqual([0.75, 0.75, 0.5, 0.5, 0.25, 0.5, 0.25, 0]);
  });

  it('says nothing in a norm in which no attack works', () => {
    const { accuracy, low, high, attacks } = robustnessCurve(autoAttack, 'l2', [0, 1, 2]);
    expect(attacks).toEqual([]);
    expect(accuracy).toEqual([0.75, null, null]); // without a change the norm does not matter
    expect([low[1], high[1]]).toEqual([null, null]);
  });

  it('says nothing away from the ε of attacks at a fixed ε alone', () => {
    const fixed = autoAttack.filter(({ attack }) => attack !== 'fab-t-linf');
    expect(robustnessCurve(fixed, 'linf', [0, 0.05, 0.1, 0.2]).accuracy).toEqual([0.75, null, 0.25, null]);
  });

  it('leaves out attacks of other norms', () => {
    const l2 = met('fmn-l2', [0.01, 0.01, 0.01, 'wrong']);
    expect(robustnessCurve([...autoAttack, l2], 'linf', [0.04, 0.1]).accuracy).toEqual([0.5, 0.25]);
    expect(robustnessCurve([...autoAttack, l2], 'l2', [0.05, 0.1]).accuracy).toEqual([0.75, 0]);
  });

  it('says nothing beyond the limit of a search', () => {
    const walk = met({ attack: 'bim', epsilon: 0.2, search: true }, [0.1, null, null, 'wrong']);
    expect(robustnessCurve([walk], 'linf', [0.05, 0.1, 0.2, 0.3]).accuracy).toEqual([0.75, 0.5, 0.5, null]);
  });

  it('counts an attack that used all of its ε, despite the rounding of float32', () => {
    const full = met({ attack: 'fgsm', search: false, epsilon: 0.1 }, [Math.fround(0.1), Math.fround(0.1)]);
    expect(robustnessCurve([full], 'linf', [0, 0.1]).accuracy).toEqual([1, 0]);
  });

  it('has Wilson intervals around every point', () => {
    const { accuracy, low, high } = robustnessCurve(autoAttack, 'linf', [0.1]);
    expect(accuracy).toEqual([0.25]); // 1 of 4
    expect([low[0], high[0]]).toEqual([expect.closeTo(0.0456, 4), expect.closeTo(0.6994, 4)]);
  });
});

it('the distance of an image is the smallest that any attack found', () => {
  expect([...worstDistances(autoAttack, 'linf').values()]).toEqual([0.04, 0.1, 0.3, 0]);
  expect(fixedRadii(autoAttack, 'linf')).toEqual([0.1]);
  expect(fixedRadii(autoAttack, 'l2')).toEqual([]);
});

describe('the words under a curve', () => {
  it('name what it rests on', () => {
    expect(curveText(autoAttack, 'linf', 200)).toBe(
      'Worst case per image over 4 attacks on 200 images, with 95% intervals. The attacks at a fixed ε count at L∞ 0.1 only (the points). A point counts every attack, so it may lie below the number of a single one. The line is an upper bound that rests on FAB-T L∞ alone.',
    );
    const l2 = { attack: 'cw-l2', settings: {} } as const;
    expect(curveText([...autoAttack.slice(0, 1), l2], 'linf', 1)).toBe(
      'Worst case per image over 1 attack on 1 image, with 95% intervals. The attack ran only at L∞ 0.1. The line joins this point with the clean accuracy at 0; nothing was measured between. The worst case within L∞ 0.1 also counts what attacks in other norms find there, so it may be lower.',
    );
    expect(curveText([...autoAttack.slice(0, 1), l2], 'l2', 1)).toBe(
      'Worst case per image over 1 attack on 1 image, with 95% intervals. An upper bound that rests on Carlini & Wagner L2.',
    );
    expect(curveText(autoAttack, 'l2', 200)).toBe('No attack works in L2, so there is no curve.');
    expect(curveText(autoAttack.slice(0, 2), 'linf', null)).toBe(
      'Worst case per image over 2 attacks, with 95% intervals. The attacks ran only at L∞ 0.1. The line joins this point with the clean accuracy at 0; nothing was measured between. A point counts every attack, so it may lie below the number of a single one.',
    );
    expect(curveText(autoAttack.slice(0, 1), 'linf', 1)).toBe(
      'Worst case per image over 1 attack on 1 image, with 95% intervals. The attack ran only at L∞ 0.1. The line joins this point with the clean accuracy at 0; nothing was measured between.',
    );
    const farther = attackSpec({ attack: 'apgd-ce-linf', epsilon: 0.3 });
    expect(curveText([autoAttack[0]!, farther], 'linf', null)).toContain(
      'The attacks ran only at L∞ 0.1 and L∞ 0.3. The line joins these points with the clean accuracy at 0; nothing was measured between.',
    );
    expect(curveText([autoAttack[2]!], 'linf', 50)).toBe(
      'Worst case per image over 1 attack on 50 images, with 95% intervals. An upper bound that rests on FAB-T L∞.',
    );
  });
});

it('a worst case has the medians of the norms in which an attack works; L2 for attacks that count pixels', () => {
  const has = (...runs: readonly ('pgd-linf' | 'fmn-l2' | 'single-pixel')[]) =>
    (['medianL2', 'medianLinf'] as const).filter((metric) =>
      worstCaseHas(
        metric,
        runs.map((attack) => ({ attack })),
      ),
    );
  expect(has('pgd-linf')).toEqual(['medianLinf']);
  expect(has('fmn-l2')).toEqual(['medianL2']);
  expect(has('pgd-linf', 'fmn-l2')).toEqual(['medianL2', 'medianLinf']);
  expect(has('single-pixel')).toEqual(['medianL2']);
  expect(has('single-pixel', 'pgd-linf')).toEqual(['medianLinf']);
  expect(worstCaseHas('robustAccuracy', [{ attack: 'pgd-linf' }])).toBe(true);
});
