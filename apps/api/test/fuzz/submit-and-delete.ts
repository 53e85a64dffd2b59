/** Submits a planned sweep, compares the new rows in the database with its plan, and deletes the sweep: then these rows are gone. */
import type { Plan, Submission } from '@funnel/contracts';
import type { Db } from '@funnel/db';
import { expect, vi } from 'vitest';
import type { ChangedRequest } from './change-request.ts';
import type { Answer, FuzzClient } from './fuzz-client.ts';

export const countStages = ({ stages }: Plan): number =>
  Object.values(stages).reduce((sum, { total }) => sum + total, 0);

const countNewStages = ({ stages }: Plan): number =>
  Object.values(stages).reduce((sum, { total, cached }) => sum + total - cached, 0);

const tables = ['sweeps', 'trials', 'stages', 'sweep_stages', 'trial_stages', 'chains'] as const;
type Rows = Readonly<Record<(typeof tables)[number], number>>;

const countRows = async (db: Db): Promise<Rows> => {
  const counts = tables.map((table) => `(SELECT count(*)::int FROM ${table}) AS ${table}`);
  const { rows } = await db.pool.query<Rows>(`SELECT ${counts.join(', ')}`);
  return rows[0]!;
};

/** Milliseconds in which the API must write a sweep that it has taken with 202. */
const writeTimeoutMs = 120_000;

/** The id of the created sweep. A sweep that takes long to plan is taken with 202, and written later. */
const createdId = async (client: FuzzClient, { status, body }: Answer, what: string): Promise<string> => {
  const { id } = JSON.parse(body) as { readonly id: string };
  if (status !== 202) return id;
  const request = { method: 'GET', url: `/v1/submissions/${id}`, headers: {}, body: undefined };
  return vi.waitFor(
    async () => {
      const submission = JSON.parse((await client.send('getSubmission', request, what)).body) as Submission;
      if (submission.sweepId === null)
        throw new Error(`Expected a sweep, but got ${JSON.stringify(submission)}`);
      return submission.sweepId;
    },
    { timeout: writeTimeoutMs, interval: 100 },
  );
};

/** `planned`: the request that made the plan. */
export const submitAndDelete = async (
  { db, client }: { readonly db: Db; readonly client: FuzzClient },
  planned: ChangedRequest,
  plan: Plan,
  what: string,
): Promise<void> => {
  const before = await countRows(db);
  const created = await client.send('createSweep', { ...planned, url: '/v1/sweeps' }, what);
  expect([201, 202], `${what} was planned, but not created: ${created.body.slice(0, 300)}`).toContain(
    created.status,
  );
  const id = await createdId(client, created, what);
  const after = await countRows(db);
  expect(after.sweeps - before.sweeps, what).toBe(1);
  expect(after.trials - before.trials, what).toBe(plan.trials);
  // Fewer when `collectGarbage` has freed checkpoints: stages that the database has then run again.
  expect(after.stages - before.stages, what).toBeLessThanOrEqual(countNewStages(plan));
  expect(after.trial_stages - before.trial_stages, what).toBeLessThanOrEqual(plan.trials * countStages(plan));

  const at = `/v1/sweeps/${id}`;
  // A sweep whose stages all have results has ended already: then there is nothing to cancel.
  await client.send(
    'cancelSweep',
    { method: 'POST', url: `${at}/cancel`, headers: {}, body: undefined },
    what,
  );
  const deleted = await client.send(
    'deleteSweep',
    { method: 'DELETE', url: at, headers: {}, body: undefined },
    what,
  );
  expect(deleted.status, `${what}: ${deleted.body}`).toBe(204);
  expect(await countRows(db), what).toEqual(before);
};
