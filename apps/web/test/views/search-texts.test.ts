import { type DecidedSearch, DecisionSource, Search, SearchEnd } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { formatPercent } from '../../src/format.ts';
import {
  describeEnd,
  describeSource,
  describeStatus,
  outcomeText,
  promotionText,
} from '../../src/views/search/texts.ts';

const tpe = Search.parse({ strategy: 'tpe', trials: 20 }) as DecidedSearch;
const asha = Search.parse({
  ...{ strategy: 'asha', trials: 20, sampler: 'sobol' },
  fidelity: { hyperparameter: 'optimiseEpochs', min: 1, max: 9 },
}) as DecidedSearch;

const objective = (place: number, title: string) =>
  ({ place, title, direction: 'max', format: formatPercent }) as const;
const unit = (
  status: 'measured' | 'bad' | 'pending',
  values: (number | null)[],
  reason: string | null = null,
) => ({
  outcome: { status, values, reason },
  trials: ['t'],
});

describe('the words about a search', () => {
  it('name the strategy that proposed a point, and with promotion the sampler', () => {
    expect(describeSource('strategy', tpe)).toBe('proposed by TPE from the outcomes before');
    expect(describeSource('strategy', asha)).toBe('proposed by Sobol from the outcomes before');
    for (const source of DecisionSource.options) expect(describeSource(source, asha)).not.toBe('');
  });

  it('say why the search ended', () => {
    expect(describeEnd(null)).toBe('The search goes on.');
    const texts = SearchEnd.options.map(describeEnd);
    expect(new Set(texts).size).toBe(SearchEnd.options.length);
  });

  it('give the values of a unit, or why it has none', () => {
    const one = [objective(0, 'Robust accuracy')];
    const two = [...one, objective(1, 'Clean accuracy')];
    expect(outcomeText(unit('measured', [0.5]), one)).toBe('robust accuracy 50.0%');
    expect(outcomeText(unit('measured', [0.5, null]), two)).toBe('robust accuracy 50.0%, clean accuracy –');
    expect(outcomeText(unit('bad', [null], 'trial 7 diverged'), one)).toBe('bad: trial 7 diverged');
    expect(outcomeText(unit('pending', []), one)).toBe('pending');
    expect(describeStatus({ ...unit('bad', []), trials: [] })).toBe('–');
  });

  it('say whether a configuration was promoted', () => {
    const { outcome } = unit('measured', [1]);
    expect(promotionText({ promoted: true, outcome })).toBe('yes');
    expect(promotionText({ promoted: false, outcome })).toBe('no');
    expect(promotionText({ promoted: null, outcome })).toBe('–');
    expect(promotionText({ promoted: null, outcome: unit('pending', []).outcome })).toBe('open');
  });
});
