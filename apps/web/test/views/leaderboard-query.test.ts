import { SweepDefinition, type SweepInput } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { readBoardQuery } from '../../src/views/leaderboard/leaderboard-query.ts';

const define = (more: Partial<SweepInput>) =>
  SweepDefinition.parse({ name: 'x', dataset: { name: 'glyphs' }, ...more });
const ranking = (address: string, definition?: SweepDefinition) => {
  const { attack, metric } = readBoardQuery(new URLSearchParams(address), definition);
  return [attack, metric];
};

describe('the query of the leaderboard', () => {
  it('ranks all sweeps by one attack, unless the address names another ranking', () => {
    expect(ranking('')).toEqual(['pgd-linf', 'robustAccuracy']);
    expect(ranking('attack=worst')).toEqual([undefined, 'robustAccuracy']);
    expect(ranking('attack=deepfool-l2')).toEqual(['deepfool-l2', 'medianL2']);
    expect(ranking('attack=worst&metric=medianLinf')).toEqual([undefined, 'medianLinf']);
    expect(ranking('attack=none-such')).toEqual(['pgd-linf', 'robustAccuracy']);
    expect(ranking('metric=noiseLevel')).toEqual(['pgd-linf', 'noiseLevel']);
  });

  it('ranks one sweep by its own objective', () => {
    expect(ranking('sweep=a', define({}))).toEqual([undefined, 'robustAccuracy']);
    expect(ranking('sweep=a', define({ attacks: ['fmn-linf', 'cw-l2'] }))).toEqual([undefined, 'medianLinf']);
    const own = define({ objective: { attack: 'deepfool-l2', metric: 'noiseLevel' } });
    expect(ranking('sweep=a', own)).toEqual(['deepfool-l2', 'noiseLevel']);
    expect(ranking('sweep=a&attack=worst', own)).toEqual([undefined, 'robustAccuracy']);
  });

  it('ranks one sweep by a metric that its attacks have', () => {
    const without = define({ attacks: ['fmn-linf', 'cw-l2', 'fgsm'] });
    expect(ranking('sweep=a&attack=worst', without)).toEqual([undefined, 'medianLinf']);
    expect(ranking('sweep=a&attack=fgsm', without)).toEqual(['fgsm', 'medianLinf']);
    expect(ranking('sweep=a&attack=worst&metric=successRate', without)).toEqual([undefined, 'successRate']);
  });

  it('has the valid tags of the address', () => {
    const tags = (address: string) => readBoardQuery(new URLSearchParams(address)).tag;
    expect(['', 'tag=Baseline,paper/v2', 'tag=,none such'].map(tags)).toEqual([
      [],
      ['baseline', 'paper/v2'],
      [],
    ]);
  });

  it('ranks rungs apart, unless the address asks for one ranking of all', () => {
    const rungs = (address: string) => readBoardQuery(new URLSearchParams(address)).rungs;
    expect(['', 'rungs=all', 'rungs=none-such'].map(rungs)).toEqual(['highest', 'all', 'highest']);
  });
});
