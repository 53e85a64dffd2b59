import { type Problem, type ProblemIssue, Problem as ProblemSchema, routes } from '@funnel/contracts';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { build, fingerprint, oneTrial, type TestApp } from './build.ts';

let api: TestApp;
beforeAll(async () => {
  api = await build();
});
afterAll(() => api.close());

const post = (url: string, payload: unknown, headers: Record<string, string> = {}) =>
  api.app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', ...headers },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  });
const submit = (payload: unknown, headers: Record<string, string> = {}) =>
  post('/v1/sweeps', payload, headers);
const yaml = { 'content-type': 'application/yaml' };

describe('a refusal names path, expected and received, and nothing is written', () => {
  type Refusal = {
    readonly body: unknown;
    readonly headers?: Record<string, string>;
    readonly status: number;
    readonly code: string;
    readonly issue?: ProblemIssue;
  };
  const bad = (change: object) => ({ ...oneTrial, ...change });
  const invalid = (issue: ProblemIssue) => ({ status: 400, code: 'INVALID_REQUEST', issue });
  const range = { min: 1, max: 2 };

  const refusals: Record<string, Refusal> = {
    'an unknown key': {
      body: bad({ spcae: {} }),
      ...invalid({
        path: 'spcae',
        expected: 'a known key (did you mean "space"?)',
        received: 'the key "spcae"',
      }),
    },
    'a misspelt hyperparameter': {
      body: bad({ space: { gama: 5 } }),
      ...invalid({
        path: 'space.gama',
        expected: 'a known key (did you mean "gamma"?)',
        received: 'the key "gama"',
      }),
    },
    'NaN in YAML': {
      body: stringify(bad({ space: { gamma: Number.NaN } })),
      headers: yaml,
      ...invalid({ path: 'space.gamma', expected: 'a finite number', received: '.nan' }),
    },
    'infinity in JSON': {
      body: JSON.stringify(bad({ space: { gamma: [1, 777] } })).replace('777', '1e999'),
      ...invalid({ path: 'space.gamma[1]', expected: 'a number', received: 'Infinity' }),
    },
    'an empty list': {
      body: bad({ space: { gamma: [] } }),
      ...invalid({ path: 'space.gamma', expected: 'at least one value', received: 'an empty list' }),
    },
    'a β below 0': {
      body: bad({ space: { beta: [0.01, -0.5] } }),
      ...invalid({ path: 'space.beta[1]', expected: 'at least 0', received: '-0.5' }),
    },
    'a range beyond the bounds of the hyperparameter': {
      body: bad({ space: { beta: { min: -1, max: 1, count: 3 } } }),
      ...invalid({ path: 'space.beta.min', expected: 'at least 0', received: '-1' }),
    },
    'a fraction at the end of a range of whole numbers': {
      body: bad({ space: { latent: { min: 1.5, max: 3, count: 2 } } }),
      ...invalid({ path: 'space.latent.min', expected: 'a whole number', received: '1.5' }),
    },
    'too many epochs at the end of a range': {
      body: bad({ space: { classifierEpochs: { min: 1, max: 100_000, step: 1 } } }),
      ...invalid({ path: 'space.classifierEpochs.max', expected: 'at most 10000', received: '100000' }),
    },
    '0 epochs': {
      body: bad({ space: { optimiseEpochs: 0 } }),
      ...invalid({ path: 'space.optimiseEpochs', expected: 'at least 1', received: '0' }),
    },
    'a grid of a billion points': {
      body: bad({ space: { gamma: { ...range, count: 50_000 }, beta: { ...range, step: 1 / 20_000 } } }),
      status: 422,
      code: 'SWEEP_TOO_LARGE',
    },
    'a random search with a million trials': {
      body: bad({ space: { gamma: range }, search: { strategy: 'random', trials: 100_000 }, seeds: 10 }),
      status: 422,
      code: 'SWEEP_TOO_LARGE',
    },
    'few trials with too many attacks': {
      body: bad({
        space: { gamma: { ...range, count: 50_000 } },
        attacks: Array.from({ length: 100 }, (_, i) => ({ attack: 'fgsm', epsilon: 0.001 * (i + 1) })),
      }),
      status: 422,
      code: 'SWEEP_TOO_LARGE',
    },
    'a continuous range in a grid': {
      body: bad({ space: { gamma: range } }),
      status: 422,
      code: 'CONTINUOUS_GRID',
      issue: { path: 'space.gamma', expected: 'a step or a count', received: expect.any(String) },
    },
    'no body': { body: '', ...invalid({ path: 'body', expected: 'an object', received: 'nothing' }) },
    'half a body': { body: '{"name": "x"', status: 400, code: 'MALFORMED_BODY' },
    'a key given twice': { body: '{"name": "x", "name": "y"}', status: 400, code: 'MALFORMED_BODY' },
    'a form': {
      body: 'name=x',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      status: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
    },
    'plain text': {
      body: JSON.stringify(oneTrial),
      headers: { 'content-type': 'text/plain' },
      status: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
    },
    'two megabytes': {
      body: JSON.stringify(bad({ description: 'x'.repeat(2_000_000) })),
      status: 413,
      code: 'BODY_TOO_LARGE',
    },
    'a name with NUL': { body: bad({ name: 'a\0b' }), status: 400, code: 'MALFORMED_BODY' },
    'a query parameter that the route does not have': { body: '{}', status: 400, code: 'INVALID_REQUEST' },
  };

  test.each(Object.entries(refusals))('%s', async (name, { body, headers, status, code, issue }) => {
    const before = await fingerprint(api.db);
    const query = name === 'a query parameter that the route does not have' ? '?dry=true' : '';
    for (const url of [`/v1/sweeps${query}`, `/v1/sweeps/plan${query}`]) {
      const response = await post(url, body, headers);
      const problem = response.json<Problem>();
      expect(problem).toMatchObject({ status, code });
      expect(response.statusCode).toBe(status);
      expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(ProblemSchema.safeParse(problem).error).toBeUndefined();
      if (issue) expect(problem.issues).toContainEqual(issue);
    }
    expect(await fingerprint(api.db)).toBe(before);
    expect(api.queue.notifications).toEqual([]);
  });

  test('a billion points cost neither time nor memory', async () => {
    const space = {
      gamma: { ...range, count: 100_000 },
      beta: { ...range, count: 100_000 },
      optimiseAttackerRate: { min: 1e-6, max: 1, count: 100_000 },
    };
    const before = process.memoryUsage().heapUsed;
    const response = await submit({ ...oneTrial, space });
    expect(response.statusCode).toBe(422);
    expect(response.json<Problem>().detail).toMatch(/at most 100000 trials, but got 1000000000000000/);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(50e6);
  });
});

describe('a sweep', () => {
  const grid = {
    ...oneTrial,
    name: 'grid',
    space: { ...oneTrial.space, gamma: [1, 5], beta: [0.01, 0.1] },
    seeds: 2,
  };

  test('is planned without a change of the database', async () => {
    const before = await fingerprint(api.db);
    const response = await post('/v1/sweeps/plan', grid);
    expect(response.statusCode).toBe(200);
    // Per seed: 1 initialise, 4 optimise, 4 classify, 4 attack. Alone, each of the 8 trials would train 3 epochs.
    expect(response.json()).toEqual({
      trials: 8,
      stages: {
        initialise: { total: 2, cached: 0 },
        optimise: { total: 8, cached: 0 },
        classify: { total: 8, cached: 0 },
        attack: { total: 8, cached: 0 },
      },
      epochs: { unshared: 24, needed: 18, cached: 0 },
      sharing: 24 / 18,
      estimate: {
        parameters: expect.any(Number),
        trainerBytes: expect.any(Number),
        storedBytes: expect.any(Number),
        // fgsm searches the smallest ε: at most 1,021 queries for each of 16 images, for 8 trials.
        attackQueries: 1021 * 16 * 8,
        // No worker is online, and none has run a stage.
        seconds: null,
        attackSeconds: null,
        unmeasured: ['initialise funn', 'optimise funn', 'classify funn', 'attack fgsm'],
        slots: 0,
      },
      runs: {
        recipes: ['funn'],
        dataset: { name: 'glyphs', train: 128, test: 64, attack: 16, classes: 10 },
        seeds: [0, 1],
        attacks: [{ attack: 'fgsm', settings: expect.objectContaining({ search: true }) }],
        defaults: expect.objectContaining({ batchSize: 128 }),
      },
      space: Object.entries({
        initialiseEpochs: [1],
        optimiseEpochs: [1],
        gamma: [1, 5],
        beta: [0.01, 0.1],
        classifierEpochs: [1],
      }).map(([hyperparameter, values]) => ({
        hyperparameter,
        asked: values.length,
        different: values.length,
        values,
        continuous: null,
      })),
      leftOut: [],
    });
    expect(await fingerprint(api.db)).toBe(before);
  });

  test('in YAML is the same sweep as in JSON', async () => {
    const [json, text] = [
      await post('/v1/sweeps/plan', grid),
      await post('/v1/sweeps/plan', stringify(grid), yaml),
    ];
    expect(text.json()).toEqual(json.json());
  });

  test('is submitted, notified of, shown, and in the audit log', async () => {
    api.queue.notifications.splice(0);
    const response = await submit(grid);
    expect(response.statusCode).toBe(201);
    const sweep = response.json();
    expect(response.headers.location).toBe(`/v1/sweeps/${sweep.id}`);
    expect(sweep).toMatchObject({
      name: 'grid',
      status: 'running',
      trials: { waiting: 8 },
      definition: { seeds: [0, 1] },
    });
    const stages = await api.app.inject(`/v1/sweeps/${sweep.id}/stages?limit=1000`);
    const ready = stages
      .json<{ items: { id: string; status: string }[] }>()
      .items.filter((stage) => stage.status === 'ready');
    // The relay notifies the queue after the commit, at about the time of the answer.
    await vi.waitFor(
      () => expect([...api.queue.notifications].sort()).toEqual(ready.map((stage) => stage.id).sort()),
      30_000,
    );
    expect(ready).toHaveLength(2);
    const { rows } = await api.db.pool.query(
      'SELECT actor, action, subject FROM audit_log ORDER BY id DESC LIMIT 1',
    );
    expect(rows).toEqual([{ actor: 'local', action: 'createSweep', subject: sweep.id }]);
  });

  test('is accepted when the queue does not answer: the reconciler notifies later', async () => {
    const away = await build({
      queue: { ...api.queue, notify: () => Promise.reject(new Error('away')) },
    });
    const response = await away.app.inject({ method: 'POST', url: '/v1/sweeps', payload: oneTrial });
    await away.close();
    expect(response.statusCode).toBe(201);
  });

  test('is paused, resumed, cancelled and deleted, each in the audit log; an impossible action is a 409', async () => {
    const { id } = (await submit({ ...oneTrial, name: 'life' })).json();
    const act = (action: string) => api.app.inject({ method: 'POST', url: `/v1/sweeps/${id}/${action}` });
    expect((await act('resume')).json()).toMatchObject({ status: 409, code: 'INVALID_TRANSITION' });
    const paused = (await act('pause')).json();
    expect(paused).toMatchObject({ id, status: 'paused' });
    expect(routes.pauseSweep.response.safeParse(paused)).toMatchObject({ success: true });
    expect((await act('resume')).json()).toMatchObject({ id, status: 'running' });
    expect((await api.app.inject({ method: 'DELETE', url: `/v1/sweeps/${id}` })).statusCode).toBe(409);
    expect((await act('cancel')).json()).toMatchObject({ id, status: 'cancelled' });
    expect((await act('retry')).statusCode).toBe(409);
    const deleted = await api.app.inject({ method: 'DELETE', url: `/v1/sweeps/${id}` });
    expect([deleted.statusCode, deleted.body]).toEqual([204, '']);
    expect((await api.app.inject(`/v1/sweeps/${id}`)).json()).toMatchObject({
      status: 404,
      code: 'NOT_FOUND',
    });
    const { rows } = await api.db.pool.query('SELECT action FROM audit_log WHERE subject = $1 ORDER BY id', [
      id,
    ]);
    expect(rows.map(({ action }) => action)).toEqual([
      'createSweep',
      'pauseSweep',
      'resumeSweep',
      'cancelSweep',
      'deleteSweep',
    ]);
  });
});

describe('a submission with an Idempotency-Key', () => {
  const named = { ...oneTrial, name: 'once' };
  const key = { 'idempotency-key': 'once-1' };

  test('is one sweep, however often and in whatever format it is sent', async () => {
    const first = await submit(named, key);
    const before = await fingerprint(api.db);
    const again = await submit(named, key);
    const reordered = await submit(stringify({ priority: 50, ...named }), {
      ...key,
      ...yaml,
    });
    expect([first, again, reordered].map((response) => response.statusCode)).toEqual([201, 200, 200]);
    expect(new Set([first, again, reordered].map((response) => response.json().id))).toHaveLength(1);
    expect(await fingerprint(api.db)).toBe(before);
  });

  test('is one sweep when it is sent twice at once', async () => {
    const responses = await Promise.all(
      Array.from({ length: 8 }, () => submit(named, { 'idempotency-key': 'at once' })),
    );
    expect(new Set(responses.map((response) => response.json().id))).toHaveLength(1);
    expect(responses.map((response) => response.statusCode).sort()).toEqual([
      200, 200, 200, 200, 200, 200, 200, 201,
    ]);
  });

  test('says nothing about the sweep that another client has under the same key', async () => {
    const { id } = (await submit(named, key)).json<{ id: string }>();
    const sendFromElsewhere = (payload: object) =>
      api.app.inject({
        ...{ method: 'POST', url: '/v1/sweeps', payload, headers: key, remoteAddress: '10.0.0.7' },
      });
    const other = await sendFromElsewhere(named);
    expect(other.statusCode).toBe(201);
    expect(other.json().id).not.toBe(id);
    const conflict = await sendFromElsewhere({ ...named, seeds: 3 });
    expect(conflict.statusCode).toBe(409);
    expect(conflict.body).not.toContain(id);
  });

  test('refuses another body under the same key', async () => {
    const response = await submit({ ...named, seeds: 2 }, key);
    expect(response.json()).toMatchObject({ status: 409, code: 'IDEMPOTENCY_CONFLICT' });
  });
});
