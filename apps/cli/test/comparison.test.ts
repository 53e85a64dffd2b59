/** The text of `funnel compare`: the worst case that ranks, and whether it tells the trials apart. */
import type { TrialDetail } from '@funnel/contracts';
import { expect, it } from 'vitest';
import { describeComparison } from '../src/output/comparison.ts';

const summary = {
  images: 50,
  attempted: 45,
  successRate: 0.5,
  successes: 22,
  robustAccuracy: null,
  robustInterval: null,
};

/** `robust`: of 50 images. */
const trial = (id: string, robust: number, within: object = { linf: 0.1 }) =>
  ({
    ...{
      id,
      recipe: 'classic',
      dataset: 'glyphs',
      seed: 0,
      hyperparameters: {},
      cleanAccuracy: 0.9,
      perClass: null,
      verdict: 'ok',
    },
    evaluations: [
      { attack: 'pgd-linf', settings: { epsilon: 0.1 }, summary },
      {
        attack: 'fab-t-linf',
        settings: { epsilon: 0.1 },
        summary,
        robustAtEpsilon: { norm: 'linf', epsilon: 0.1, robust: 30, accuracy: 0.6 },
      },
      {
        attack: 'deepfool-l2',
        settings: { steps: 50 },
        summary: { ...summary, medianL2: 1.2345 },
        intervals: { medianL2: [1.071, 'Infinity'], medianLinf: null },
      },
    ],
    worstCase: { within, values: { robustAccuracy: robust / 50 } },
  }) as unknown as TrialDetail;

const lines = (letters: (string | null)[], ...trials: TrialDetail[]): string[] =>
  describeComparison({ trials, differs: [], letters }).split('\n');
const cellsOf = (text: readonly string[], start: string): string[] =>
  text
    .find((line) => line.startsWith(start))!
    .split(/ {2,}/)
    .slice(1);

it('has the worst case with its count, its interval and its letters', () => {
  const text = lines(['a', 'a'], trial('s-0', 25), trial('s-1', 27));
  expect(cellsOf(text, 'worst case: robust accuracy, within L∞ 0.1')).toEqual([
    '25 of 50 (50.0 %, 36.6–63.4)',
    '27 of 50 (54.0 %, 40.4–67.0)',
  ]);
  expect(cellsOf(text, 'letters')).toEqual(['a', 'a']);
  expect(text.at(-1)).toMatch(/^The worst cases of the two trials cannot be told apart: McNemar/);
  expect(lines(['a', 'b'], trial('s-0', 5), trial('s-1', 45)).at(-1)).toMatch(/trials can be told apart/);
  expect(lines(['a', 'ab', 'b'], trial('s-0', 5), trial('s-1', 25), trial('s-2', 45)).at(-1)).toMatch(
    /^Trials with a letter in common cannot be told apart/,
  );
});

it('says the balls in each cell where they differ, and nothing about letters that do not exist', () => {
  const text = lines([null, null], trial('s-0', 25), trial('s-1', 27, { linf: 0.2 }));
  expect(cellsOf(text, 'worst case: robust accuracy')[1]).toBe('27 of 50 (54.0 %, 40.4–67.0), within L∞ 0.2');
  expect(text.some((line) => line.startsWith('letters'))).toBe(false);
  expect(text.at(-1)).toMatch(/^verdict/);
});

it('has the robust accuracy of an attack without a fixed ε at the ε of the trial', () => {
  const text = lines([], trial('s-0', 25), trial('s-1', 27));
  expect(cellsOf(text, 'robust: fab-t-linf')).toEqual(Array(2).fill('60.0 % (46.2–72.4) at L∞ 0.1'));
});

it('has the median of an attack that looks for the smallest change, with its interval', () => {
  const text = lines([], trial('s-0', 25), trial('s-1', 27));
  expect(cellsOf(text, 'median L2: deepfool-l2')).toEqual(Array(2).fill('1.234 (1.07–∞)'));
  expect(text.filter((line) => /^(robust|median .*): deepfool/.test(line))).toHaveLength(1);
  expect(text.some((line) => line.startsWith('median L∞: pgd-linf'))).toBe(false);
});
