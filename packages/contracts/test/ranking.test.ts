import { describe, expect, it } from 'vitest';
import {
  attackNames,
  attackSpec,
  attacks,
  ballOf,
  objectiveOf,
  presetAttacks,
  presetNames,
  reachOf,
  routes,
  SweepDefinition,
  type SweepInput,
  threatModelOf,
  threatModelText,
  usualMetric,
  usualRankings,
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

const objective = (input: Partial<SweepInput>) => {
  const { run, metric } = objectiveOf(
    SweepDefinition.parse({ name: 'x', dataset: { name: 'glyphs' }, ...input }),
  );
  return [run?.attack, metric];
};

describe('what runs are ranked by where nobody says', () => {
  it('is the robust accuracy at a fixed ε, and the distance of an attack that looks for the smallest change', () => {
    expect(usualMetric(attackSpec('pgd-linf'))).toBe('robustAccuracy');
    expect(usualMetric(attackSpec('deepfool-l2'))).toBe('medianL2');
    expect(usualMetric(attackSpec('fmn-linf'))).toBe('medianLinf');
    // Foolbox 1.8's FGSM looks for the smallest ε: it fools nearly everything in the end.
    expect(usualMetric(attackSpec({ attack: 'fgsm', search: true }))).toBe('medianLinf');
    expect(usualMetric(attackSpec({ attack: 'fgsm', search: false }))).toBe('robustAccuracy');
  });

  it('is what the sweep says, else the worst case over its attacks, else its only attack', () => {
    expect(objective({ objective: { attack: 'fmn-l2', metric: 'medianL2' } })).toEqual([
      'fmn-l2',
      'medianL2',
    ]);
    expect(objective({ attacks: { preset: 'quick' } })).toEqual([undefined, 'robustAccuracy']);
    expect(objective({ attacks: ['deepfool-linf', { attack: 'pgd-l2', epsilon: 1 }] })).toEqual([
      undefined,
      'robustAccuracy',
    ]);
    // Without a ball everything falls somewhere.
    expect(objective({ attacks: ['deepfool-linf', 'cw-l2'] })).toEqual([undefined, 'medianLinf']);
    expect(objective({ attacks: ['pgd-l2'] })).toEqual(['pgd-l2', 'robustAccuracy']);
    expect(objective({ attacks: ['fmn-linf'] })).toEqual(['fmn-linf', 'medianLinf']);
  });

  it('is across sweeps an attack by name, or else the worst case', () => {
    const [first, second] = usualRankings();
    expect(
      presetNames.filter((preset) =>
        presetAttacks(preset).some((input) => attackSpec(input).attack === first.attack),
      ),
    ).toContain('quick');
    expect(second).toEqual({ attack: undefined, metric: 'robustAccuracy' });
    expect(usualRankings(SweepDefinition.parse({ name: 'x', dataset: { name: 'glyphs' } }))).toEqual([
      second,
    ]);
  });

  it('is filled in where the leaderboard is asked', () => {
    const metric = (query: object) => (routes.leaderboard.query.parse(query) as { metric: string }).metric;
    expect(metric({})).toBe('robustAccuracy');
    expect(metric({ attack: 'pgd-l2' })).toBe('robustAccuracy');
    expect(metric({ attack: 'deepfool-l2' })).toBe('medianL2');
    expect(metric({ attack: 'deepfool-l2', metric: 'noiseLevel' })).toBe('noiseLevel');
  });
});
