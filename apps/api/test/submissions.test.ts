/** Submissions that take longer than a request may: they are stored, shown, and carried out. */
import { createClient } from '@funnel/client';
import { AppError, type Submission, SweepDefinition } from '@funnel/contracts';
import { type Db, getSubmission, type Submitted, storeSubmission } from '@funnel/db';
import { holdStructure, openTestDb } from '@funnel/db/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { hashBody } from '../src/planning/plan-and-submit.ts';
import { createPlanning } from '../src/planning/planning.ts';
import { createSubmissions, type SubmissionsOptions } from '../src/planning/submissions.ts';
import { build, oneTrial, type TestApp } from './build.ts';

let api: TestApp;
let url: string;
beforeAll(async () => {
  api = await build({ submissionWaitMs: 100 });
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => api.close());
beforeEach(() => api.db.pool.query('DELETE FROM submissions'));

const longWait = { timeout: 30_000 };

/** The lock is released at the end of the test at the latest. */
const holdForTest = async (db: Db): Promise<() => Promise<void>> => {
  const release = await holdStructure(db);
  onTestFinished(release);
  return release;
};

const get = async (path: string) => (await api.app.inject(path)).json();

describe('a submission that cannot be written within the time of a request', () => {
  test('is answered with 202 and a place to follow, and is written later', async () => {
    const release = await holdForTest(api.db);
    const answer = await api.app.inject({
      ...{ method: 'POST', url: '/v1/sweeps?tag=late', payload: { ...oneTrial, name: 'later' } },
    });
    expect(answer.statusCode).toBe(202);
    const submission = answer.json<Submission>();
    const place = `/v1/submissions/${submission.id}`;
    expect(answer.headers).toMatchObject({ location: place, 'retry-after': '2' });
    expect(submission).toMatchObject({ name: 'later', sweepId: null, problem: null });
    expect((await get('/v1/submissions')).items).toMatchObject([{ id: submission.id }]);
    await release();
    await expect.poll(async () => (await get(place)).status, longWait).toBe('completed');
    const { sweepId } = await get(place);
    expect(await get(`/v1/sweeps/${sweepId}`)).toMatchObject({
      name: 'later',
      status: 'running',
      tags: ['late'],
    });
    expect((await get('/v1/submissions')).items).toEqual([]);
    const { rows } = await api.db.pool.query('SELECT action, subject FROM audit_log WHERE subject = $1', [
      sweepId,
    ]);
    expect(rows).toEqual([{ action: 'createSweep', subject: sweepId }]);
  });

  test('is followed by the client to its sweep', async () => {
    const release = await holdForTest(api.db);
    const places: string[] = [];
    const sweep = createClient({ url }).createSweep(
      { body: { ...oneTrial, attacks: ['fgsm'], name: 'followed' } },
      { onSubmission: ({ status }) => void places.push(status) },
    );
    await expect.poll(() => places.length, longWait).toBeGreaterThan(0);
    await release();
    expect((await sweep).name).toBe('followed');
    expect(places.at(-1)).toBe('completed');
  });

  test('can be withdrawn', async () => {
    await holdForTest(api.db);
    const answer = await api.app.inject({ method: 'POST', url: '/v1/sweeps', payload: oneTrial });
    const place = `/v1/submissions/${answer.json().id}`;
    expect((await api.app.inject({ method: 'DELETE', url: place })).statusCode).toBe(204);
    expect((await api.app.inject(place)).statusCode).toBe(404);
  });
});

describe('stored submissions', () => {
  const definition = SweepDefinition.parse({
    ...oneTrial,
    space: { ...oneTrial.space, gamma: { min: 1, max: 2, count: 700 } },
  });
  const request = { client: 'a', definition, engineVersion: 'test' };

  /** Submissions on a database of their own. `submit` stands before the real planner. */
  const openSubmissions = async (submit: (planned: () => Promise<Submitted>) => Promise<Submitted>) => {
    const db = await openTestDb();
    const planning = createPlanning(db);
    const options: SubmissionsOptions = {
      planning: { submit: (planned) => submit(() => planning.submit(planned)) },
      onCreated: () => {},
      onError: () => {},
      waitMs: 30_000,
    };
    const submissions = createSubmissions(db, options);
    onTestFinished(async () => {
      await planning.close();
      await submissions.close();
      await db.close();
    });
    return { ...submissions, db };
  };

  test('are carried out by the next process when the first one has ended', async () => {
    const own = await build();
    onTestFinished(own.close);
    const bodyHash = hashBody(definition);
    const stored = await storeSubmission(own.db, { ...request, size: 'medium', bodyHash });
    await own.app.listen({ host: '127.0.0.1', port: 0 });
    const id = 'id' in stored ? stored.id : '';
    await expect.poll(async () => (await getSubmission(own.db, id)).status, longWait).toBe('completed');
  });

  test('are refused with the error of the planner', async () => {
    const refusal = new AppError('SWEEP_TOO_LARGE', 'too large', { limit: 1 });
    const submissions = await openSubmissions(() => Promise.reject(refusal));
    await expect(submissions.submit(request)).rejects.toMatchObject({
      code: 'SWEEP_TOO_LARGE',
      message: 'too large',
      details: { limit: 1 },
    });
  });

  test('are tried again when the database was away, and make one sweep', async () => {
    let calls = 0;
    const submissions = await openSubmissions((planned) => {
      calls++;
      return calls === 1 ? Promise.reject(new AppError('UNAVAILABLE', 'away')) : planned();
    });
    expect(await submissions.submit(request)).toMatchObject({ created: true });
    expect(calls).toBe(2);
    const { rows } = await submissions.db.pool.query('SELECT count(*)::int AS n FROM sweeps');
    expect(rows).toEqual([{ n: 1 }]);
  });
});
