import { expect, it } from 'vitest';
import {
  ranksBelow,
  readConstraint,
  type TrialCounts,
  trialVerdict,
  trialVerdicts,
  untrainedReason,
  worstTrialVerdict,
} from '../src/index.ts';

const counts = (changes: Partial<TrialCounts>): TrialCounts => ({
  verdicts: ['ok'],
  attacked: { correct: 90, images: 100 },
  tested: { correct: 900, images: 1000 },
  classes: 10,
  ...changes,
});

it('is the worst verdict of the evaluations of a trained classifier', () => {
  expect(trialVerdict(counts({}))).toBe('ok');
  expect(trialVerdict(counts({ verdicts: ['ok', 'suspect'] }))).toBe('suspect');
  expect(trialVerdict(counts({ verdicts: ['masked', 'suspect'] }))).toBe('masked');
});

it('is `untrained` where the interval of the clean accuracy is not wholly above 1.5 times that of guesses', () => {
  // The lower ends for 172 and 173 of 1000 are 0.1499 and 0.1508.
  const tested = (correct: number) => trialVerdict(counts({ tested: { correct, images: 1000 } }));
  expect([tested(100), tested(172), tested(173)]).toEqual(['untrained', 'untrained', 'ok']);
  expect(trialVerdict(counts({ verdicts: ['masked'], tested: { correct: 100, images: 1000 } }))).toBe(
    'untrained',
  );
  expect(trialVerdict(counts({ classes: 2, tested: { correct: 770, images: 1000 } }))).toBe('untrained');
  expect(trialVerdict(counts({ classes: 2, tested: { correct: 800, images: 1000 } }))).toBe('ok');
});

it('judges by the attacked images where no test images are known', () => {
  expect(trialVerdict(counts({ tested: null, attacked: { correct: 4, images: 40 } }))).toBe('untrained');
  expect(trialVerdict(counts({ tested: null, attacked: { correct: 30, images: 40 } }))).toBe('ok');
});

it('is `too-few` below 20 correct images, unless the gradients are masked', () => {
  expect(trialVerdict(counts({ attacked: { correct: 19, images: 20 } }))).toBe('too-few');
  expect(trialVerdict(counts({ attacked: { correct: 20, images: 20 } }))).toBe('ok');
  const few = { attacked: { correct: 19, images: 20 } };
  expect(trialVerdict(counts({ ...few, verdicts: ['suspect'] }))).toBe('too-few');
  expect(trialVerdict(counts({ ...few, verdicts: ['masked'] }))).toBe('masked');
});

it('ranks below from `too-few` on, and constraints know every verdict', () => {
  expect(trialVerdicts.filter(ranksBelow)).toEqual(['too-few', 'masked', 'untrained']);
  expect(worstTrialVerdict(['ok', 'untrained', 'masked'])).toBe('untrained');
  expect(worstTrialVerdict([])).toBe('ok');
  expect(readConstraint('verdict != untrained')).toEqual({ kind: 'verdict', not: 'untrained' });
  expect(readConstraint('verdict != too-few')).toEqual({ kind: 'verdict', not: 'too-few' });
  expect(readConstraint('verdict != ok')).toBeNull();
});

it('says in numbers why a classifier is untrained', () => {
  expect(untrainedReason({ correct: 50, images: 90 }, 3)).toBe(
    'the clean accuracy (45.3–65.4 % of 90 images) is not clearly above 50 %, 1.5 times that of guesses with 3 classes',
  );
});
