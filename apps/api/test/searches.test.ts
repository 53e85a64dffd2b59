/** Searches over HTTP: their plan, their first decisions, points by hand, extensions, and the refusals of everything that cannot be searched. */
import { type SearchDecision, SweepDefinition } from '@funnel/contracts';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { resolveNames } from '../src/planning/resolve-names.ts';
import { build, oneTrial, type TestApp } from './build.ts';

let api: TestApp;
beforeAll(async () => {
  api = await build();
});
afterAll(() => api.close());

const post = (url: string, payload?: object) =>
  api.app.inject({ method: 'POST', url, ...(payload && { payload }) });
const read = async (url: string) => (await api.app.inject({ method: 'GET', url })).json();

const space = { initialiseEpochs: 1, optimiseEpochs: 1, classifierEpochs: 1, gamma: { min: 1, max: 10 } };
const search = { ...oneTrial, name: 'a search', space, search: { strategy: 'tpe', trials: 30 } };
const { optimiseEpochs: _, ...withoutOptimise } = space;
const hyperband = {
  ...search,
  space: withoutOptimise,
  search: {
    strategy: 'hyperband',
    trials: 22,
    fidelity: { hyperparameter: 'optimiseEpochs', min: 1, max: 9 },
  },
};

const decisionsOf = async (id: string): Promise<readonly SearchDecision[]> =>
  (await read(`/v1/sweeps/${id}/decisions`)).items;

/** Waits until the search has this many decisions: the next ones need outcomes that no worker gives. */
const decided = (id: string, count: number): Promise<readonly SearchDecision[]> =>
  vi.waitFor(
    async () => {
      const decisions = await decisionsOf(id);
      expect(decisions).toHaveLength(count);
      return decisions;
    },
    { timeout: 60_000, interval: 200 },
  );

test('the plan of a search says what is certain: configurations, rungs and epochs', async () => {
  const plan = (await post('/v1/sweeps/plan', hyperband)).json();
  // Brackets of 9, 5 and 3 configurations start at rungs 0, 1 and 2; the fourth bracket is the first one again.
  expect(plan.search).toMatchObject({
    configurations: 22,
    rungs: [
      { epochs: 1, units: 14 },
      { epochs: 3, units: 8 },
      { epochs: 9, units: 5 },
    ],
  });
  expect(plan.trials).toBe(27);
});

test('a search makes the ten decisions that need no outcome, each with its trial', async () => {
  const { id } = (await post('/v1/sweeps', search)).json();
  const decisions = await decided(id, 10);
  expect(decisions.map(({ number, source, trials }) => [number, source, trials])).toEqual(
    Array.from({ length: 10 }, (_, n) => [n, 'start', [`${id}-${String(n).padStart(5, '0')}`]]),
  );
  expect(new Set(decisions.map(({ point }) => point!.gamma)).size).toBe(10);
  expect(await read(`/v1/sweeps/${id}`)).toMatchObject({
    status: 'running',
    search: { configurations: 30, proposed: 10, trialsToCome: 20, ended: null },
  });
  const again = (await post('/v1/sweeps', { ...search, name: 'again' })).json();
  const same = await decided(again.id, 10);
  expect(same.map(({ point }) => point)).toEqual(decisions.map(({ point }) => point));
});

test('an extension and a point by hand', async () => {
  const small = { ...search, search: { strategy: 'random-like', trials: 2 } };
  expect((await post('/v1/sweeps', small)).statusCode).toBe(400);
  const { id } = (await post('/v1/sweeps', { ...search, search: { strategy: 'tpe', trials: 3 } })).json();
  await decided(id, 3);
  await vi.waitFor(
    async () => expect(await read(`/v1/sweeps/${id}/search`)).toMatchObject({ ended: 'trials' }),
    { timeout: 60_000, interval: 200 },
  );
  const refused = await post(`/v1/sweeps/${id}/points`, { point: { gamma: 2.5 } });
  expect([refused.statusCode, refused.json().code]).toEqual([409, 'INVALID_TRANSITION']);
  const outside = await post(`/v1/sweeps/${id}/points`, { point: { gamma: 11 } });
  expect(outside.json()).toMatchObject({ code: 'INVALID_REQUEST', issues: [{ path: 'point.gamma' }] });
  expect((await post(`/v1/sweeps/${id}/pause`)).statusCode).toBe(200);
  expect((await post(`/v1/sweeps/${id}/extend`, { trials: 2 })).json()).toMatchObject({
    status: 'paused',
    search: { configurations: 5 },
  });
  expect((await post(`/v1/sweeps/${id}/points`, { point: { gamma: 2.5 } })).json()).toMatchObject({
    waitingPoints: [{ gamma: 2.5 }],
  });
  await post(`/v1/sweeps/${id}/resume`);
  const decisions = await decided(id, 5);
  expect(decisions.map(({ source }) => source)).toEqual(['start', 'start', 'start', 'hand', 'start']);
  expect(decisions[3]!.point).toMatchObject({ gamma: 2.5 });
});

test('a sweep whose trials are known has no search', async () => {
  const { id } = (await post('/v1/sweeps', oneTrial)).json();
  for (const url of [`/v1/sweeps/${id}/search`, `/v1/sweeps/${id}/decisions`])
    expect((await api.app.inject({ method: 'GET', url })).statusCode).toBe(404);
  const refused = await post(`/v1/sweeps/${id}/extend`, { trials: 1 });
  expect(refused.statusCode).toBe(404);
  expect(refused.json().hint).toContain(`npx funnel trials ${id}`);
});

const withSearch = (changes: object, more: object = {}) => ({
  ...search,
  ...more,
  search: { ...search.search, ...changes },
});
const withFidelity = (changes: object, more: object = {}) => ({
  ...hyperband,
  ...more,
  search: { ...hyperband.search, ...changes },
});

describe('refuses by the path that the user should change', () => {
  test.each([
    ['one trial', withSearch({ trials: 1 }), 'search.trials'],
    [
      'a range without an end for gp',
      withSearch({ strategy: 'gp' }, { space: { ...space, gamma: { min: 1 } } }),
      'space.gamma.max',
    ],
    [
      'words for cma-es',
      withSearch({ strategy: 'cma-es' }, { space: { ...space, initializer: ['glorotUniform', 'heNormal'] } }),
      'space.initializer',
    ],
    ['a space with one point', withSearch({}, { space: { ...space, gamma: 3 } }), 'space'],
    [
      'a fidelity that a recipe does not read',
      withFidelity({}, { recipes: ['funn', 'trades'] }),
      'search.fidelity.hyperparameter',
    ],
    ['a fidelity that stands in the space', withFidelity({}, { space }), 'space.optimiseEpochs'],
    ['eta: 1', withFidelity({ eta: 1 }), 'search.eta'],
    [
      'one rung',
      withFidelity({ fidelity: { hyperparameter: 'optimiseEpochs', min: 5, max: 9 } }),
      'search.fidelity.max',
    ],
    [
      'an objective that no attack gives',
      withSearch({}, { objective: { attack: 'pgd-linf', metric: 'robustAccuracy' } }),
      'objective.attack',
    ],
    [
      'the second of two objectives',
      withSearch(
        {},
        { objective: [{ metric: 'cleanAccuracy' }, { attack: 'bim', metric: 'robustAccuracy' }] },
      ),
      'objective[1].attack',
    ],
    [
      'the same objective twice',
      withSearch({}, { objective: [{ metric: 'cleanAccuracy' }, { metric: 'cleanAccuracy' }] }),
      'objective[1]',
    ],
    ['a constraint that is none', withSearch({ constraints: ['accuracy > 1'] }), 'search.constraints[0]'],
    ['a point to try outside of the space', withSearch({ try: [{ gamma: 20 }] }), 'search.try[0].gamma'],
    ['a transfer attack', withSearch({}, { attacks: ['fgsm', 'transfer-linf'] }), 'attacks'],
    ['an earlier sweep that is not there', withSearch({ from: ['nothing'] }), 'search.from[0]'],
  ])('%s', async (_, body, path) => {
    const answers = [await post('/v1/sweeps/plan', body), await post('/v1/sweeps', body)];
    for (const answer of answers) {
      expect(answer.statusCode).toBeGreaterThanOrEqual(400);
      expect(answer.statusCode).toBeLessThan(500);
      expect(answer.json().issues.map((issue: { path: string }) => issue.path)).toContain(path);
    }
  });
});

test('the definition of a search keeps the ids of the sweeps that it names in `from`', async () => {
  const { id } = (await post('/v1/sweeps', { ...search, name: 'to learn from' })).json();
  const from = ['to learn from', id.slice(0, 15), 'latest'];
  const { definition } = await resolveNames(
    api.db,
    SweepDefinition.parse({ ...search, search: { ...search.search, from } }),
  );
  expect(definition.search).toMatchObject({ strategy: 'tpe', from: [id, id, id] });
});
