import { describe, expect, it } from 'vitest';
import {
  attackNames,
  attackSpec,
  attacks,
  ballOf,
  reachOf,
  threatModelOf,
  threatModelText,
} from '../src/index.ts';

const specs = (...list: readonly Parameters<typeof attackSpec>[0][]) => list.map(attackSpec);

describe('the balls that a trial is attacked in', () => {
  it('are those of its attacks at a fixed ε, the largest of each norm', () => {
    const model = threatModelOf(
      specs(
        { attack: 'pgd-linf', epsilon: 0.1 },
        { attack: 'square-linf', epsilon: 0.3 },
        { attack: 'apgd-ce-l2', epsilon: 2 },
        { attack: 'pgd-l2', epsilon: 1.5 },
        { attack: 'fab-t-l2', epsilon: 5 },
        { attack: 'fgsm', search: true, epsilon: 1 },
        'single-pixel',
      ),
    );
    expect(model).toEqual({ linf: 0.3, l2: 2 });
    expect(threatModelText(model)).toBe('L∞ 0.3 or L2 2');
    expect(threatModelOf(specs('deepfool-l2', 'bim'))).toEqual({});
  });

  it('hold whatever is declared to be at a fixed ε, unless it searches', () => {
    for (const name of attackNames) {
      const { family, norm, settings } = attacks[name];
      const searches = 'search' in settings.shape;
      const fixed = searches ? { attack: name, search: false } : name;
      const ball = ballOf(attackSpec(fixed as never)); // by name, from the table itself
      expect(ball?.norm, name).toBe(family === 'fixed' ? norm : undefined);
      if (searches) expect(ballOf(attackSpec({ attack: name, search: true } as never)), name).toBeUndefined();
    }
  });

  it('reach as far as float32 rounds, and no further', () => {
    for (const epsilon of [0.001, 0.005, 0.1, 0.3, 2, 8.4, 100]) {
      // The worst pixel: the image, the step and their sum are each rounded.
      expect(Math.fround(1 - Math.fround(1 - Math.fround(epsilon)))).toBeLessThanOrEqual(reachOf(epsilon));
      expect(reachOf(epsilon) / epsilon - 1).toBeLessThanOrEqual(1.001e-3);
    }
    expect(reachOf(0)).toBe(0);
  });
});
