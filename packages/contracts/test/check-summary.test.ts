/** Checks of several evaluations: each counts once, and one that can find nothing does not count as passed. */
import { describe, expect, it } from 'vitest';
import {
  checkHeading,
  checksText,
  type Diagnostic,
  eachCheck,
  nothingHere,
  saysNothing,
} from '../src/index.ts';

const check = (id: Diagnostic['id'], changes: Partial<Diagnostic> = {}): Diagnostic => ({
  ...{ id, value: 0, threshold: 0.1, verdict: 'ok', detail: 'Fine.' },
  ...changes,
});
const silent = { detail: `PGD fools all 50 images at L∞ 0.3${nothingHere}` };

describe('the checks of several evaluations', () => {
  it('count once, with their worst finding', () => {
    const all = [check('H4'), check('H7'), check('H10')];
    const worse = [
      check('H4'),
      check('H7', { verdict: 'suspect', detail: 'More steps help.' }),
      check('H10'),
    ];
    const each = eachCheck([{ diagnostics: all }, { diagnostics: worse }, { diagnostics: all }]);
    expect(each.map(({ id, verdict, detail }) => [id, verdict, detail])).toEqual([
      ['H4', 'ok', 'Fine.'],
      ['H7', 'suspect', 'More steps help.'],
      ['H10', 'ok', 'Fine.'],
    ]);
    expect(checksText(each)).toBe('1 check raises a flag; 2 checks without a flag.');
  });
});

it('of checks without a flag the one counts that says something', () => {
  const atUsual = [check('H1', silent), check('H4'), check('H7', silent)];
  const atOwn = [check('H1', { detail: 'At L∞ 0.1.' }), check('H4'), check('H7', silent)];
  for (const evaluations of [
    [atUsual, atOwn],
    [atOwn, atUsual],
  ])
    expect(checksText(eachCheck(evaluations.map((diagnostics) => ({ diagnostics }))))).toBe(
      '2 checks without a flag; 1 says nothing (H7): PGD fools all 50 images at L∞ 0.3.',
    );
});

describe('the sentence about checks', () => {
  it('does not count checks that say nothing as passed, and gives the reason', () => {
    const notRun = check('H2', { value: null, detail: 'Square needs images of height × width, not [8].' });
    expect([check('H1'), check('H1', silent), notRun].map(saysNothing)).toEqual([false, true, true]);
    expect(checksText([check('H1', silent), check('H4'), check('H7', silent), check('H10')])).toBe(
      '2 checks without a flag; 2 say nothing (H1, H7): PGD fools all 50 images at L∞ 0.3.',
    );
    expect(checksText([check('H4'), notRun])).toBe(
      '1 check without a flag; 1 says nothing (H2): Square needs images of height × width, not [8].',
    );
    expect(checksText([])).toBe('No check was computed.');
  });

  it('has the same counts in brief, without the reasons', () => {
    const notRun = check('H2', { value: null, detail: 'Square needs images of height × width, not [8].' });
    const flagged = check('H8', { verdict: 'suspect' });
    expect(checksText([check('H1', silent), check('H4'), notRun], { isBrief: true })).toBe(
      '1 check without a flag; 2 say nothing',
    );
    expect(checksText([check('H4'), check('H10'), flagged], { isBrief: true })).toBe(
      '1 check raises a flag; 2 checks without a flag',
    );
  });
});

it('a heading says the problem of a flagged check, and claims nothing for one that says nothing', () => {
  expect([
    checkHeading(check('H2', { verdict: 'suspect' })),
    checkHeading(check('H2')),
    checkHeading(check('H2', silent)),
  ]).toEqual(['Black box beats white box', 'White box beats black box', 'Says nothing here']);
});
