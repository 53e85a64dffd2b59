import { expect, it } from 'vitest';
import { importanceNote, remainderText } from '../../src/views/sweep/importance-texts.ts';

it('says which estimator gives the shares, and that they are corrected for chance', () => {
  const of = { what: 'robust accuracy', measured: 48, comparable: true, ranked: false };
  expect(importanceNote(of)).toBe(
    'The share of the variance of robust accuracy that each hyperparameter explains on its own, corrected for what chance alone would explain, over 48 trials. It is the adjusted η²: (η² − m) / (1 − m), where m is the mean η² of 100 random shuffles of the results. The mark shows the share that chance alone reaches in one of twenty random shuffles.',
  );
  expect(importanceNote({ ...of, comparable: false, ranked: true })).toMatch(
    /of the results\. The share of a hyperparameter is computed over the trials whose recipe reads it\. .* shuffles\. Some values are ∞, so ranks are used instead of values\.$/,
  );
});

it('says what the shares do not explain', () => {
  expect(remainderText(0.22)).toBe(
    'The remaining 78% are not explained beyond chance: interactions, seeds, noise and the correction.',
  );
  expect(remainderText(1.1)).toMatch(/^The remaining 0% are/);
});
