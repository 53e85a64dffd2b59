import { expect, it } from 'vitest';
import {
  importanceNote,
  levelMeansText,
  remainderText,
  tooFewText,
} from '../../src/views/sweep/importance-texts.ts';

it('says which estimator gives the shares, and that they are corrected for chance', () => {
  const of = { what: 'robust accuracy', measured: 48, comparable: true, given: [], ranked: false };
  expect(importanceNote(of)).toBe(
    'The share of the variance of robust accuracy that each hyperparameter explains on its own, corrected for what chance alone would explain, over 48 trials. It is the adjusted η²: (η² − m) / (1 − m), where m is the mean η² of 100 random shuffles of the results. The mark shows the share that chance alone reaches in one of twenty random shuffles.',
  );
  expect(importanceNote({ ...of, given: ['Recipe', 'γ'] })).toContain(
    ' The effects of the other hyperparameters that matter (Recipe, γ) are taken out of the results first, so that a strong one does not hide a weak one. The mark ',
  );
  expect(importanceNote({ ...of, comparable: false, ranked: true })).toMatch(
    /of the results\. The share of a hyperparameter is computed over the trials whose recipe reads it\. .* shuffles\. Some values are ∞, so ranks are used instead of values\.$/,
  );
});

it('says what the blue bars explain, and what the rest is', () => {
  expect(remainderText(0.22, false)).toBe(
    'The blue bars explain 22%. The remaining 78% are interactions, seeds, noise and the correction.',
  );
  expect(remainderText(0.676, true)).toBe(
    'The blue bars explain 68%. The remaining 32% are grey bars, interactions, seeds, noise and the correction.',
  );
  expect(remainderText(0.675, false)).toMatch(/ explain 68%\. The remaining 32% are /);
  expect(remainderText(1.1, true)).toMatch(/^The shares of the blue bars overlap, .* do not add up\.$/);
  expect(remainderText(0, true)).toBe('No share passes its mark, so each of them may be chance.');
});

it('names the shares that so few trials cannot tell from chance', () => {
  expect(tooFewText([])).toBeNull();
  expect(tooFewText(['Training ε', 'γ'])).toMatch(/^Too few trials to tell Training ε, γ from chance: /);
});

it('says what points and lines of the means are', () => {
  const level = { interval: [0.1, 0.2] };
  expect(levelMeansText([level, { interval: null }], false)).toBe(
    'A point is the mean of the trials with this value. A vertical line is its 95 % interval (Student’s t).',
  );
  expect(levelMeansText([level], true)).toMatch(
    /\(Student’s t\); it is wide where other hyperparameters move/,
  );
  expect(levelMeansText([{ infinite: 1, interval: null }], true)).toBe(
    'A point is the mean of the trials with this value; the median if one of them is ∞.',
  );
});
