import { describe, expect, it } from 'vitest';
import { attackSpec, contestsOf, missedText } from '../src/index.ts';

const square = attackSpec({ attack: 'square-linf', epsilon: 0.1 });
const apgd = attackSpec({ attack: 'apgd-ce-linf', epsilon: 0.1 });
const fgsm = attackSpec({ attack: 'fgsm', search: false, epsilon: 0.1 });
const fab = attackSpec({ attack: 'fab-t-linf', epsilon: 0.1 });

describe('a contest of attacks at one ε', () => {
  it('has the attacks without gradients at this ε, and all gradient attacks', () => {
    const wide = attackSpec({ attack: 'apgd-ce-linf', epsilon: 0.3 });
    expect(contestsOf([apgd, square, fab, wide])).toEqual([
      { ball: { norm: 'linf', epsilon: 0.1 }, gradientFree: [1], gradient: [0, 2, 3] },
    ]);
  });

  it('needs an attack of each kind at the same ε in the same norm, and one that takes several steps', () => {
    const other = attackSpec({ attack: 'square-linf', epsilon: 0.2 });
    const l2 = attackSpec({ attack: 'square-l2', epsilon: 0.1 });
    for (const runs of [[], [apgd], [square], [apgd, other], [apgd, l2], [fgsm, square], [fab, square]])
      expect(contestsOf(runs)).toEqual([]);
  });

  it('says how many images only the attacks without gradients fool, from two on', () => {
    const runs = [apgd, square];
    const [contest] = contestsOf(runs);
    expect(missedText(contest!, runs, { missed: 1, images: 80 })).toBeNull();
    expect(missedText(contest!, runs, { missed: 7, images: 80 })).toBe(
      'square-linf fools 7 of 80 images at L∞ 0.1 that no gradient attack of this run fools, so gradients may mislead attacks on this model even where no check raises a flag. Trust the worst case, which counts these images.',
    );
  });
});
