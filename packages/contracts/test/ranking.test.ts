import { describe, expect, it } from 'vitest';
import {
  type AttackInput,
  attackNames,
  attackSpec,
  attacks,
  ballOf,
  objectiveOf,
  presetAttacks,
  presetNames,
  rankTexts,
  reachOf,
  routes,
  SweepDefinition,
  type SweepInput,
  sizeText,
  threatModelOf,
  threatModelText,
  usualMetric,
  usualMetricAmong,
  usualRankings,
} from '../src/index.ts';

const specs = (...list: readonly Parameters<typeof attackSpec>[0][]) => list.map(attackSpec);

describe('the threat model of a trial', () => {
  it('has for each norm the largest ball of its attacks at a fixed ε', () => {
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
    expect(threatModelText({ linf: 8 / 255, l2: 0.5 })).toBe('L∞ 0.0314 or L2 0.5');
    expect(threatModelOf(specs('deepfool-l2', 'bim'))).toEqual({});
  });

  it('has the ball of a search that goes no further than ε', () => {
    expect(threatModelOf(specs({ attack: 'bim', epsilon: 0.1 }))).toEqual({ linf: 0.1 });
    expect(threatModelOf(specs({ attack: 'bim-l2', epsilon: 2, largestEpsilon: 1.5 }))).toEqual({ l2: 1.5 });
    expect(threatModelOf(specs({ attack: 'bim', epsilon: 0.1, largestEpsilon: 0.2 }))).toEqual({});
    const old = { search: true, epsilon: 0.1, stepSize: 0.05, steps: 10 }; // version 0.1.0 stored this
    expect(ballOf({ attack: 'bim', settings: old })).toBeUndefined();
  });

  it('has a ball for every attack that is declared with a fixed ε, unless it searches', () => {
    for (const name of attackNames) {
      const { family, norm, settings } = attacks[name];
      const searches = 'search' in settings.shape;
      const fixed = searches ? { attack: name, search: false } : name;
      const ball = ballOf(attackSpec(fixed as never)); // a name of the table, with or without `search`
      expect(ball?.norm, name).toBe(family === 'fixed' ? norm : undefined);
      if (searches) expect(ballOf(attackSpec({ attack: name, search: true } as never)), name).toBeUndefined();
    }
  });

  it('marks the successes of an attack without a fixed ε: at any size, or up to the limit of its search', () => {
    const texts = (
      [
        { attack: 'pgd-linf', epsilon: 0.1 },
        { attack: 'fab-t-linf', epsilon: 0.1 },
        'deepfool-l2',
        'fgsm',
        { attack: 'bim', epsilon: 0.1, largestEpsilon: 0.5 },
        { attack: 'bim', epsilon: 0.1 },
        'single-pixel',
        { attack: 'fgsm', epsilon: 0.1 },
        { attack: 'fgsm', epsilon: 0.1, epsilons: [0.2, 0.05] },
        { attack: 'iterative-gradient-sign', epsilon: 0.1 },
        { attack: 'iterative-gradient-sign', epsilon: 0.1, epsilons: [0.02], steps: 10 },
        { attack: 'gradient', epsilon: 0.1 },
      ] satisfies AttackInput[]
    ).map((input) => sizeText(attackSpec(input)));
    expect(texts.slice(0, 7)).toEqual([
      ...['', ' at any size', ' at any size', ' at any size'],
      ...[' up to L∞ 0.5', '', ''],
    ]);
    // A grid has a largest ε. A step along the gradient has a size in L2 that depends on the number of pixels.
    expect(texts.slice(7)).toEqual([
      ...[' up to L∞ 0.1', ' up to L∞ 0.2', ' up to L∞ 0.1', ' up to L∞ 0.2'],
      ' at any size',
    ]);
    const run = attackSpec('deepfool-l2');
    expect(sizeText({ ...run, within: { l2: 2 } })).toBe('');
    expect(sizeText({ ...attackSpec('pgd-linf'), within: {} })).toBe(' at any size');
  });

  it('allows for the rounding of float32, and for no more', () => {
    for (const epsilon of [0.001, 0.005, 0.1, 0.3, 2, 8.4, 100]) {
      // The largest rounding error of a pixel: image, step and sum are each rounded.
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

describe('the default ranking', () => {
  it('is by robust accuracy at a fixed ε, and by distance for an attack that searches for the smallest change', () => {
    expect(usualMetric(attackSpec('pgd-linf'))).toBe('robustAccuracy');
    expect(usualMetric(attackSpec('deepfool-l2'))).toBe('medianL2');
    expect(usualMetric(attackSpec('fmn-linf'))).toBe('medianLinf');
    // FGSM of Foolbox 1.8 searches for the smallest ε and fools nearly every image.
    expect(usualMetric(attackSpec({ attack: 'fgsm', search: true }))).toBe('medianLinf');
    expect(usualMetric(attackSpec({ attack: 'fgsm', search: false }))).toBe('robustAccuracy');
  });

  it('is the objective of the sweep, or its only attack, or the worst case over its attacks', () => {
    expect(objective({ objective: { attack: 'fmn-l2', metric: 'medianL2' } })).toEqual([
      'fmn-l2',
      'medianL2',
    ]);
    expect(objective({ attacks: { preset: 'quick' } })).toEqual([undefined, 'robustAccuracy']);
    expect(objective({ attacks: ['deepfool-linf', { attack: 'pgd-l2', epsilon: 1 }] })).toEqual([
      undefined,
      'robustAccuracy',
    ]);
    // Without a ball nearly every image is fooled.
    expect(objective({ attacks: ['deepfool-linf', 'cw-l2'] })).toEqual([undefined, 'medianLinf']);
    expect(objective({ attacks: ['pgd-l2'] })).toEqual(['pgd-l2', 'robustAccuracy']);
    expect(objective({ attacks: ['fmn-linf'] })).toEqual(['fmn-linf', 'medianLinf']);
  });

  it('is among some attacks by a metric that has values', () => {
    const fixed = attackSpec({ attack: 'fgsm', search: false });
    expect(usualMetricAmong(specs('deepfool-linf', 'cw-l2'), undefined)).toBe('medianLinf');
    expect(usualMetricAmong([...specs('deepfool-linf'), fixed], undefined)).toBe('robustAccuracy');
    expect(usualMetricAmong(specs('fgsm'), 'fgsm')).toBe('medianLinf');
    expect(usualMetricAmong([...specs('fgsm'), fixed], 'fgsm')).toBe('robustAccuracy');
    expect(usualMetricAmong([], 'cw-l2')).toBe('medianL2');
  });

  it('by robust accuracy takes the run of its attack that has a fixed ε', () => {
    const { run } = objectiveOf(
      SweepDefinition.parse({
        name: 'x',
        dataset: { name: 'glyphs' },
        attacks: ['fgsm', { attack: 'fgsm', search: false }],
        objective: { attack: 'fgsm', metric: 'robustAccuracy' },
      }),
    );
    expect(run?.settings).toMatchObject({ search: false });
  });

  it('across sweeps is by one attack first, then by the worst case', () => {
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

  it('fills in the metric of a leaderboard query', () => {
    const metric = (query: object) => (routes.leaderboard.query.parse(query) as { metric: string }).metric;
    expect(metric({})).toBe('robustAccuracy');
    expect(metric({ attack: 'pgd-l2' })).toBe('robustAccuracy');
    expect(metric({ attack: 'deepfool-l2' })).toBe('medianL2');
    expect(metric({ attack: 'deepfool-l2', metric: 'noiseLevel' })).toBe('noiseLevel');
  });
});

describe('the ranks as people read them', () => {
  const rows = [
    { rank: 1, rung: 2 },
    { rank: 1, rung: 1 },
    { rank: 2, rung: 1 },
    { rank: 2, rung: 1 },
    { rank: null, rung: 0 },
  ];

  it('mark what shares a rank, within a rung', () => {
    expect(rankTexts(rows)).toEqual(['1', '1', '2=', '2=', '–']);
    expect(rankTexts([{ rank: 1 }, { rank: 1 }, { rank: 3 }])).toEqual(['1=', '1=', '3']);
  });

  it('mark it across rungs in one ranking of all rungs', () => {
    expect(rankTexts(rows, 'all')).toEqual(['1=', '1=', '2=', '2=', '–']);
  });
});
