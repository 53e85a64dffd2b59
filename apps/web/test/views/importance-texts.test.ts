import { expect, it } from 'vitest';
import { importanceNote, remainderText, tooFewText } from '../../src/views/sweep/importance-texts.ts';

it('says which estimator gives the shares, and that they are corrected for chance', () => {
  const of = { what: 'robust accuracy', measured: 48, comparable: true, given: [], ranked: false };
  expect(importanceNote(of)).toBe(
    'The share of the variance of robust accuracy that each hyperparameter explains on its own, corrected for what chance alone would explain, over 48 trials. It is the adjusted η²: (η² − m) / (1 − m), where m is the mean η² of 100 random shuffles of the results. The mark shows the share that chance alone reaches in one of twenty random shuffles.',
  );
  expect(importanceNote({ ...of, given: ['Recipe', 'γ'] })).toContain(
    ' The shuffles for one hyperparameter keep the effects of the others that matter (Recipe, γ), so that a strong one does not hide a weak one. The mark ',
  );
  expect(importanceNote({ ...of, comparable: false, ranked: true })).toMatch(
    /of the results\. The share of a hyperparameter is computed over the trials whose recipe reads it\. .* shuffles\. Some values are ∞, so ranks are used instead of values\.$/,
  );
});

it('says what the shares do not explain, and that a grey share counts as explained', () => {
  expect(remainderText(0.22, false)).toBe(
    'The remaining 78% are interactions, seeds, noise and the correction.',
  );
  expect(remainderText(1.1, true)).toBe(
    'The remaining 0% are interactions, seeds, noise and the correction. A grey share may be chance, and counts as explained here.',
  );
});

it('names the shares that so few trials cannot tell from chance', () => {
  expect(tooFewText([])).toBeNull();
  expect(tooFewText(['Training ε', 'γ'])).toMatch(/^Too few trials to tell Training ε, γ from chance: /);
});
