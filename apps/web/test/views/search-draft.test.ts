import { FunnelError } from '@funnel/client';
import { Search, type SearchName, SweepDefinition, searchHints, searchTitles } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { type Draft, definitionDraft, draftInput, emptyDraft } from '../../src/views/new-sweep/draft.ts';
import { issueAt, issuesOf, parseSweep, refusalsOf } from '../../src/views/new-sweep/schema.ts';
import {
  emptySearch,
  type SearchDraft,
  searchDraft,
  searchInput,
  searchShape,
} from '../../src/views/new-sweep/search-draft.ts';

const names = Object.keys(searchHints) as SearchName[];

/** A sweep that every strategy can search: two ranges, and no values for the fidelity. */
const draftOf = (search: Partial<SearchDraft>): Draft => ({
  ...emptyDraft,
  name: 'x',
  hyperparameters: {
    gamma: { mode: 'range', min: '0.1', max: '10', count: '', scale: 'log' },
    beta: { mode: 'values', text: '0.01, 0.02' },
  },
  search: { ...emptySearch, ...search },
});

const fidelity = { hyperparameter: 'optimiseEpochs', min: '1', max: '27' };

const issuesOfSearch = (search: Partial<SearchDraft>) =>
  issuesOf(parseSweep(draftInput(draftOf(search))).issues);

/** Every field of every strategy, with another value than its default. */
const everything: SearchDraft = {
  strategy: 'grid',
  trials: '33',
  seed: '7',
  parallelism: '9',
  order: 'asynchronous',
  sampler: 'sobol',
  fidelity: { hyperparameter: 'optimiseEpochs', min: '2', max: '54' },
  eta: '2.5',
  constraints: 'cleanAccuracy >= 0.95\nverdict != masked',
  masked: 'allowed',
  from: 'sweep-a, sweep-b',
  try: 'gamma: 5, beta: 0.01\nbeta: 0.02, gamma: 0.5',
  stop: { epochs: '1000', hours: '1.5', decisionsWithoutImprovement: '12' },
};

describe('the search of a draft', () => {
  it.each(names)('%s is a sweep as soon as it is chosen', (strategy) => {
    const definition = SweepDefinition.parse(draftInput(draftOf({ strategy, fidelity })));
    expect(definition.search.strategy).toBe(strategy);
    expect(searchTitles[strategy]).not.toBe('');
  });

  it.each(names)('%s comes back from a sweep file with all of its fields', (strategy) => {
    const search = Search.parse(searchInput({ ...everything, strategy }) ?? { strategy });
    expect(Object.keys(search).sort()).toEqual(Object.keys(searchShape(strategy)).sort());
    const again = Search.parse(searchInput(searchDraft(search)) ?? { strategy });
    expect(again).toEqual(search);
  });

  it('keeps a whole search through the form: file, form, file', () => {
    const search = Search.parse(searchInput({ ...everything, strategy: 'hyperband' }));
    const definition = SweepDefinition.parse({ ...draftInput(draftOf({})), search });
    const draft = definitionDraft(definition);
    expect(SweepDefinition.parse(draftInput(draft)).search).toEqual(search);
    expect(draft.search.try).toBe('gamma: 5, beta: 0.01\nbeta: 0.02, gamma: 0.5');
  });

  it('leaves out what has its default', () => {
    expect(searchInput({ ...emptySearch, strategy: 'tpe' })).toEqual({ strategy: 'tpe', trials: 20 });
    expect(searchInput({ ...emptySearch, strategy: 'random' })).toEqual({ strategy: 'random', trials: 20 });
    expect(searchInput(emptySearch)).toBeUndefined();
    expect(searchInput({ ...emptySearch, strategy: 'asha', fidelity })).toEqual({
      ...{ strategy: 'asha', trials: 20 },
      fidelity: { hyperparameter: 'optimiseEpochs', min: 1, max: 27 },
    });
  });

  it('is refused at the field that is wrong', () => {
    const faults: readonly (readonly [Partial<SearchDraft>, string, RegExp])[] = [
      [{ strategy: 'tpe', trials: '1' }, 'search.trials', /at least 2, but got 1/],
      [{ strategy: 'tpe', trials: 'many' }, 'search.trials', /a whole number, but got "many"/],
      [{ strategy: 'gp', trials: '501' }, 'search.trials', /at most 500, but got 501/],
      [{ strategy: 'tpe', constraints: 'accuracy > 1' }, 'search.constraints', /a condition such as/],
      [{ strategy: 'tpe', try: 'gamma' }, 'search.try', /a number.*, but got nothing/],
      [{ strategy: 'hyperband', fidelity, eta: '1' }, 'search.eta', /at least 2, but got 1/],
      [{ strategy: 'asha' }, 'search.fidelity.hyperparameter', /optimiseEpochs/],
      [
        { strategy: 'asha', fidelity: { ...fidelity, max: '1' } },
        'search.fidelity.max',
        /at least 2, but got 1/,
      ],
      [
        { strategy: 'tpe', stop: { ...emptySearch.stop, hours: '0' } },
        'search.stop.hours',
        /more than 0, but got 0/,
      ],
    ];
    for (const [search, path, message] of faults)
      expect(issueAt(issuesOfSearch(search), path), path).toMatch(message);
  });

  it('shows at their paths also the faults that only the server finds', () => {
    const refusal = new FunnelError(
      {
        ...{ type: '/errors/SWEEP_TOO_LARGE', code: 'SWEEP_TOO_LARGE', status: 400, title: '', detail: '' },
        ...{
          hint: '',
          issues: [
            { path: 'search.trials', expected: 'at most 12', received: '33' },
            { path: 'search.try[0].latent', expected: 'a hyperparameter of the space', received: 'latent' },
          ],
        },
      },
      { answered: true },
    );
    const issues = issuesOf(refusalsOf(refusal));
    expect(issueAt(issues, 'search.trials')).toBe('Expected at most 12, but got 33');
    expect(issueAt(issues, 'search.try')).toBe('Expected a hyperparameter of the space, but got latent');
    expect(issueAt(issues, 'name')).toBeNull();
    expect(refusalsOf(new Error('away'))).toEqual([]);
  });
});
