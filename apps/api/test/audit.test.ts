/** A change and its entry in the audit log commit together: there is no change without an entry, and no entry without its change. */
import { type Route, type RouteName, routes } from '@funnel/contracts';
import { claimStage, failAttempt } from '@funnel/db';
import { makeDataset } from '@funnel/db/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { build, oneTrial, type TestApp } from './build.ts';
import { npy } from './npy.ts';

let api: TestApp;
beforeAll(async () => {
  api = await build();
  await api.db.pool.query(
    `CREATE TABLE broken_audit (); CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       IF to_regclass('broken_audit') IS NOT NULL THEN RAISE EXCEPTION 'the audit log cannot be written'; END IF; RETURN new; END $$;
     CREATE TRIGGER refuse BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse()`,
  );
});
afterAll(() => api.close());

const breakAudit = () => api.db.pool.query('CREATE TABLE IF NOT EXISTS broken_audit ()');
const mendAudit = () => api.db.pool.query('DROP TABLE IF EXISTS broken_audit');

/** So many trials that a planning process writes the sweep. */
const large = {
  ...oneTrial,
  name: 'large',
  space: { ...oneTrial.space, gamma: { min: 1, max: 1000, count: 1000 } },
};

const submit = async (body: object): Promise<string> =>
  (await api.app.inject({ method: 'POST', url: '/v1/sweeps', payload: body })).json().id;

const act = (action: string) => (id: string) =>
  api.app.inject({ method: 'POST', url: `/v1/sweeps/${id}/${action}` });

const pets = makeDataset();
const announce = () => api.app.inject({ method: 'POST', url: '/v1/datasets', payload: pets.upload });

let seed = 100;
let searchId = '';
/** Nothing is decided for it any more, so nothing else changes while a case looks. */
const pausedSearch = async (): Promise<void> => {
  searchId = await submit({
    ...oneTrial,
    name: 'a search',
    space: { ...oneTrial.space, gamma: { min: 1, max: 10 } },
    search: { strategy: 'tpe', trials: 4, seed: ++seed },
  });
  await act('pause')(searchId);
};

type Case = {
  readonly what: string;
  readonly action: RouteName;
  /** Brings the sweep into the status that the change needs. */
  readonly before?: (id: string) => Promise<unknown>;
  readonly change: (id: string) => Promise<{ readonly statusCode: number }>;
};

const cases: readonly Case[] = [
  {
    what: 'a small submission',
    action: 'createSweep',
    change: () =>
      api.app.inject({ method: 'POST', url: '/v1/sweeps', payload: { ...oneTrial, name: 'new' } }),
  },
  {
    what: 'a large submission',
    action: 'createSweep',
    change: () => api.app.inject({ method: 'POST', url: '/v1/sweeps', payload: large }),
  },
  {
    what: 'an annotation',
    action: 'annotateSweep',
    change: (id) =>
      api.app.inject({ method: 'PATCH', url: `/v1/sweeps/${id}`, payload: { tags: ['baseline'] } }),
  },
  { what: 'a pause', action: 'pauseSweep', change: act('pause') },
  { what: 'a resumption', action: 'resumeSweep', before: act('pause'), change: act('resume') },
  { what: 'a cancellation', action: 'cancelSweep', change: act('cancel') },
  {
    what: 'a retry',
    action: 'retrySweep',
    before: async (id) => {
      const { stageId, fencingToken } = (await claimStage(api.db, {
        workerId: 'w',
        leaseSeconds: 60,
        sweep: id,
      }))!;
      await failAttempt(api.db, { stageId, fencingToken, code: 'X', message: 'x', maxAttempts: 1 });
    },
    change: act('retry'),
  },
  {
    what: 'a deletion',
    action: 'deleteSweep',
    before: act('cancel'),
    change: (id) => api.app.inject({ method: 'DELETE', url: `/v1/sweeps/${id}` }),
  },
  {
    what: 'the extension of a search',
    action: 'extendSearch',
    before: pausedSearch,
    change: () =>
      api.app.inject({ method: 'POST', url: `/v1/sweeps/${searchId}/extend`, payload: { trials: 2 } }),
  },
  {
    what: 'a point by hand',
    action: 'tryPoint',
    before: pausedSearch,
    change: () =>
      api.app.inject({
        method: 'POST',
        url: `/v1/sweeps/${searchId}/points`,
        payload: { point: { gamma: 7 } },
      }),
  },
  {
    what: 'a collection',
    action: 'collectGarbage',
    change: () => api.app.inject({ method: 'POST', url: '/v1/garbage', payload: { keepBest: 1 } }),
  },
  {
    what: 'the withdrawal of a submission',
    action: 'withdrawSubmission',
    before: () =>
      api.db.pool.query(
        `INSERT INTO submissions (id, client, size, definition, engine_version, body_hash, due_at)
         VALUES ('waits', 'test', 'small', '{}', '1', '', now() + interval '1 hour')`,
      ),
    change: () => api.app.inject({ method: 'DELETE', url: '/v1/submissions/waits' }),
  },
  {
    what: 'the restoration of a worker',
    action: 'restoreWorker',
    before: () =>
      api.db.pool.query(
        `INSERT INTO workers (id, host, pid, version, backend, device, slots, set_aside_at)
         VALUES ('set-aside', 'here', 1, '0', 'wasm', 'cpu', 1, now()) ON CONFLICT (id) DO UPDATE SET set_aside_at = now()`,
      ),
    change: () => api.app.inject({ method: 'POST', url: '/v1/workers/set-aside/restore' }),
  },
  {
    what: 'the announcement of a data set',
    action: 'addDataset',
    change: () => announce(),
  },
  {
    what: 'a data set from a notebook',
    action: 'addDatasetArrays',
    change: () =>
      api.app.inject({
        method: 'POST',
        url: '/v1/datasets/drawings/arrays?test=1',
        headers: { 'content-type': 'application/octet-stream' },
        payload: Buffer.concat([
          npy({ type: '|u1', shape: [3] }, new Uint8Array([0, 1, 1])),
          npy({ type: '|u1', shape: [3, 2, 2] }, new Uint8Array(12)),
        ]),
      }),
  },
  {
    what: 'a chunk of a data set',
    action: 'putDatasetChunk',
    before: () => announce(),
    change: () =>
      api.app.inject({
        method: 'PUT',
        url: `/v1/datasets/${pets.upload.digest}/chunks/0`,
        headers: { 'content-type': 'application/octet-stream' },
        payload: Buffer.from(pets.bytes),
      }),
  },
  {
    what: 'the removal of a data set',
    action: 'removeDataset',
    before: () =>
      api.db.pool.query(
        `INSERT INTO dataset_names (name, digest, owner) SELECT 'pets', digest, 'ann' FROM datasets ON CONFLICT DO NOTHING`,
      ),
    change: () => api.app.inject({ method: 'DELETE', url: '/v1/datasets/pets' }),
  },
];

test('covers every route that changes something', () => {
  const changing = (Object.entries(routes) as [RouteName, Route][])
    .filter(([, { method, role }]) => method !== 'GET' && role !== 'read')
    .map(([name]) => name);
  expect([...new Set(cases.map(({ action }) => action))].sort()).toEqual(changing.sort());
});

let sweepId: string;
beforeEach(async () => {
  await mendAudit();
  // Every test has stages of its own.
  sweepId = await submit({ ...oneTrial, seeds: [++seed] });
});

const state = async () => {
  const { rows } = await api.db.pool.query(
    `SELECT (SELECT jsonb_agg(jsonb_build_array(id, name, status) ORDER BY id) FROM sweeps) AS sweeps,
       (SELECT jsonb_agg(jsonb_build_array(id, status) ORDER BY id) FROM stages) AS stages,
       (SELECT jsonb_agg(jsonb_build_array(digest, number, bytes IS NULL)) FROM dataset_chunks) AS chunks,
       (SELECT jsonb_agg(name) FROM dataset_names) AS names`,
  );
  return rows[0];
};

test.each(cases)(
  '$what is not made when its entry cannot be written, and has one entry when it is made',
  async ({ action, before, change }) => {
    await before?.(sweepId);
    await api.db.pool.query('TRUNCATE audit_log');
    const unchanged = await state();
    await breakAudit();
    expect((await change(sweepId)).statusCode).toBe(500);
    expect(await state()).toEqual(unchanged);
    await mendAudit();
    expect((await change(sweepId)).statusCode).toBeLessThan(300);
    const { rows } = await api.db.pool.query(
      'SELECT action, subject, actor, address, details FROM audit_log',
    );
    expect(rows).toEqual([
      {
        action,
        subject: action === 'collectGarbage' ? null : expect.any(String),
        actor: 'local',
        address: '127.0.0.1',
        details: expect.objectContaining({ requestId: expect.any(String) }),
      },
    ]);
  },
);

test('a submission that is repeated under its key has one entry', async () => {
  await api.db.pool.query('TRUNCATE audit_log');
  for (const expected of [201, 200]) {
    const headers = { 'idempotency-key': 'again' };
    const { statusCode } = await api.app.inject({
      method: 'POST',
      url: '/v1/sweeps',
      headers,
      payload: oneTrial,
    });
    expect(statusCode).toBe(expected);
  }
  const { rows } = await api.db.pool.query('SELECT action FROM audit_log');
  expect(rows).toEqual([{ action: 'createSweep' }]);
});
