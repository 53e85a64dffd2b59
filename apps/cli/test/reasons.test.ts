import { expect, it } from 'vitest';
import { joinReasons } from '../src/watch/reasons.ts';

it('says a reason once, with all attacks that it concerns', () => {
  expect(joinReasons(['fgsm: flat.', 'pgd-linf: flat.', 'fgsm: zero: 3 of 9.', 'no attack'])).toBe(
    'fgsm, pgd-linf: flat.; fgsm: zero: 3 of 9.; no attack',
  );
  expect(joinReasons([])).toBe('');
});
