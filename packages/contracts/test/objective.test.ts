import { describe, expect, it } from 'vitest';
import {
  attackSpec,
  objectiveOf,
  presetAttacks,
  presetNames,
  routes,
  SweepDefinition,
  type SweepInput,
  usualMetric,
  usualRankings,
} from '../src/index.ts';

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
