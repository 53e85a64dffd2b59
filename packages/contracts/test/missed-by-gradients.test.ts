import { describe, expect, it } from 'vitest';
import {
  attackSpec,
  contestsOf,
  type MissedImages,
  missedImagesOf,
  missedMark,
  missedNote,
  missedOfSeeds,
  missedText,
  tellingMisses,
} from '../src/index.ts';

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

  it('names the attacks without gradients, and how many images only they fool', () => {
    const runs = [apgd, square, fab];
    const [one, ...others] = missedImagesOf(runs, (contest) => {
      expect(contest).toEqual(contestsOf(runs)[0]);
      return { missed: 3, images: 80 };
    });
    expect(others).toEqual([]);
    expect(one).toEqual({ attacks: ['square-linf'], norm: 'linf', epsilon: 0.1, missed: 3, images: 80 });
    expect(missedText(one!)).toBe(
      'square-linf fools 3 of 80 images at L∞ 0.1 that no gradient attack of this run fools, so gradients may mislead attacks on this model even where no check raises a flag. Trust the worst case, which counts these images.',
    );
  });
});

const missing = (missed: number, epsilon = 0.1): MissedImages => ({
  ...{ attacks: ['square-linf'], norm: 'linf', epsilon, missed, images: 80 },
});

describe('images that gradients miss', () => {
  it('tell something from two on', () => {
    expect(tellingMisses([missing(1), missing(2, 0.2)])).toEqual([missing(2, 0.2)]);
  });

  it('of several seeds are summed up where one of them has two', () => {
    expect(missedOfSeeds([])).toEqual([]);
    expect(missedOfSeeds([[missing(1)], [missing(1)]])).toEqual([]);
    expect(
      missedOfSeeds([
        [missing(1), missing(0, 0.2)],
        [missing(5), missing(1, 0.2)],
      ]),
    ).toEqual([{ ...missing(6), images: 160 }]);
  });

  it('mark a row with the ε of which there are most, and have one explanation for all rows', () => {
    expect(missedMark({})).toBeNull();
    expect(missedMark({ missedByGradients: [missing(2), missing(7, 0.2)] })).toBe(
      'gradients miss 7 of 80 images',
    );
    expect(missedNote([{}, { missedByGradients: [] }])).toBeNull();
    const l2: MissedImages = { ...missing(2), attacks: ['square-l2', 'square-linf'] };
    expect(missedNote([{}, { missedByGradients: [missing(2)] }, { missedByGradients: [l2] }])).toBe(
      '“Gradients miss” images that square-linf, square-l2 fool and no gradient attack of the run fools at the same ε, so gradients may mislead attacks on such models even where no check raises a flag. Trust the worst case, which counts these images.',
    );
  });
});
