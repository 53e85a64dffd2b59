import { describe, expect, it } from 'vitest';
import { attackSpec, robustAt, searchedBall } from '../src/index.ts';

describe('the ε of a search for the smallest change', () => {
  const radii = { linf: 0.3 };
  it.each([
    ['its own', attackSpec({ attack: 'fab-t-linf', epsilon: 0.1 }), { norm: 'linf', epsilon: 0.1 }],
    ['that of other attacks in its norm', attackSpec('deepfool-linf'), { norm: 'linf', epsilon: 0.3 }],
    [
      'that of other attacks where its own is the whole range',
      attackSpec('fgsm'),
      { norm: 'linf', epsilon: 0.3 },
    ],
    ['none in another norm', attackSpec('deepfool-l2'), null],
    ['none for an attack with a ball', attackSpec('pgd-linf'), null],
    ['none for an attack that counts pixels', attackSpec('single-pixel'), null],
  ])('is %s', (_, run, ball) => expect(searchedBall(run, radii)).toEqual(ball));
});

it('counts the attacked images without a change within ε, out of all images', () => {
  const records = {
    success: [true, true, true, false, false],
    l2: [1, 2, 3, null, null],
    linf: [0.1, 0.1 + 1e-7, 0.2, null, null],
  };
  const summary = { images: 5, attempted: 4 };
  const at = (norm: 'l2' | 'linf', epsilon: number) => robustAt({ summary, records }, { norm, epsilon });
  expect(at('linf', 0.1)).toEqual({ norm: 'linf', epsilon: 0.1, robust: 2, accuracy: 0.4 });
  expect(at('l2', 1.5)).toEqual({ norm: 'l2', epsilon: 1.5, robust: 3, accuracy: 0.6 });
});
