import { expect, it } from 'vitest';
import {
  apartText,
  fewSeedsText,
  lacksLetters,
  missingText,
  pooledText,
  type SweepStatus,
  seedSpread,
  singleStepText,
  strongestText,
  tieText,
} from '../src/index.ts';

it('rows without a letter are not compared, but not where a row has no value, or comes late', () => {
  const row = (letters?: string, interval: [number, number] | null = [0, 1]) => ({ letters, interval });
  expect(lacksLetters([row('a'), row('b'), row()])).toBe(true);
  expect(lacksLetters([row('a'), row('b'), row(undefined, null)])).toBe(false);
  expect(lacksLetters([row(), row()])).toBe(false);
  expect(lacksLetters([...Array.from({ length: 50 }, () => row('a')), row()])).toBe(false);
});

it('counts of several seeds say that they add up', () => {
  const row = (images: number, ...seeds: number[]) => ({
    seeds,
    counts: { images, correct: images, fooled: 14 },
  });
  expect(pooledText([row(180, 1, 2), row(180, 1, 2)])).toBe('Counts are of 90 images × 2 seeds.');
  expect(pooledText([row(180, 1, 2), row(60, 1, 2)])).toBe('Counts add up the images of all seeds of a row.');
  expect(pooledText([row(180, 1, 2), row(90, 1)])).toBe('Counts add up the images of all seeds of a row.');
  expect(pooledText([row(90, 1), row(60, 2)])).toBeNull();
});

it('the strongest attacks of a row are named, or counted where they are more than fit', () => {
  const row = (...tied: ('pgd-linf' | 'square-linf')[]) => ({
    attack: 'fgsm' as const,
    ...(tied.length > 0 && { tied }),
  });
  expect([row(), row('pgd-linf'), row('pgd-linf', 'square-linf')].map((each) => strongestText(each))).toEqual(
    ['fgsm', 'fgsm, pgd-linf', 'fgsm +2'],
  );
  expect(
    [row(), row('pgd-linf')].map((each) => strongestText(each, { nameOf: () => 'FGSM', most: 1 })),
  ).toEqual(['FGSM', 'FGSM +1']);
  expect(tieText(row())).toBeNull();
  expect(tieText(row('pgd-linf'))).toBe('These attacks are equally strong: fgsm, pgd-linf.');
  expect(tieText({ attack: 'fgsm', tied: ['fgsm', 'pgd-linf'] })).toBe(
    'These attacks are equally strong: fgsm (2 settings), pgd-linf.',
  );
});

it('attacks of one step are named as weak where no other attack has a fixed ε', () => {
  const fgsm = { attack: 'fgsm', settings: { epsilon: 0.1, search: false } } as const;
  const pgd = { attack: 'pgd-linf', settings: { epsilon: 0.1 } } as const;
  const deepfool = { attack: 'deepfool-l2', settings: {} } as const;
  expect(singleStepText([fgsm, deepfool])).toMatch(
    /^FGSM takes one step. Attacks of many steps, such as pgd-linf/,
  );
  expect(singleStepText([fgsm, pgd])).toBeNull();
  expect(singleStepText([{ ...fgsm, tied: ['pgd-linf'] }])).toBeNull();
  expect(singleStepText([deepfool])).toBeNull();
  expect(singleStepText([])).toBeNull();
});

it('the range of the seeds stands where it visibly leaves the interval', () => {
  const spread = (seedRange: [number, number]) => seedSpread({ interval: [0.0002, 0.04], seedRange });
  expect(spread([0, 0.017])).toBeNull(); // 0.0 % and 0.02 % read alike
  expect(spread([0.001, 0.05])).toEqual([0.001, 0.05]);
});

it('letters say whether two worst cases can be told apart', () => {
  expect(apartText(['a', 'a'])).toMatch(/^The worst cases of the two trials cannot be told apart/);
  expect(apartText(['a', null, 'b'])).toMatch(
    /^The worst cases of the two trials with letters can be told apart/,
  );
  expect(apartText(['a', 'ab', 'b'])).toMatch(/^Trials with a letter in common cannot be told apart/);
  expect(apartText(['a', null])).toBeNull();
});

it('the trials without results are counted, in the words of the status of the sweep', () => {
  const text = (status: SweepStatus, measured: number) => missingText({ status, measured, trials: 4 });
  expect(text('running', 2)).toBe('The sweep is running: 2 of 4 trials are measured. The order may change.');
  expect(text('paused', 1)).toBe('The sweep is paused: 1 of 4 trials is measured. The order may change.');
  expect(text('cancelled', 1)).toBe('The sweep was cancelled: 1 of 4 trials was measured.');
  expect(text('completed-with-failures', 3)).toBe(
    'The sweep completed with failures: 3 of 4 trials were measured.',
  );
});

it('rows of few seeds say how little that is', () => {
  const of = (letters: string | undefined, ...counts: number[]) =>
    counts.map((count) => ({ letters, seeds: Array.from({ length: count }, (_, i) => i) }));
  expect(fewSeedsText(of(undefined, 1, 1))).toMatch(/^Each row is one seed\. /);
  expect(fewSeedsText(of('a', 2, 1))).toBe(
    'Rows of 2 seeds hardly show how much seeds differ, so close rows may have different letters by chance: five seeds say more.',
  );
  for (const rows of [of('a', 1), of('a', 2), of('a', 5, 1), of(undefined, 2, 2), []])
    expect(fewSeedsText(rows)).toBeNull();
});
