/** Two API processes on one database: either answers everything, and one goes on where the other was killed. */
import { createClient } from '@funnel/client';
import type { FunnelEventRow, Submission } from '@funnel/contracts';
import { createDb, type Db } from '@funnel/db';
import { createTestDatabase, holdStructure } from '@funnel/db/testing';
import { expect, onTestFinished, test, vi } from 'vitest';
import { listening, runApi, stopped, waiting } from './api-process.ts';
import { oneTrial } from './build.ts';

const openDatabase = async (): Promise<{ readonly db: Db; readonly url: string }> => {
  const { url, drop } = await createTestDatabase();
  const db = createDb(url);
  onTestFinished(async () => {
    await db.close();
    await drop();
  });
  return { db, url };
};

const submitTo = (url: string, key: string) =>
  fetch(`${url}/v1/sweeps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(oneTrial),
  });
const idOf = async (answer: Response): Promise<string> => ((await answer.json()) as { id: string }).id;

const rowsOf = async (db: Db, sql: string) => (await db.pool.query(sql)).rows;

test('either answers the same key with the same sweep, streams what the other changes, and goes on without it', async () => {
  const { db, url: DATABASE_URL } = await openDatabase();
  const [first, second] = [runApi({ DATABASE_URL }), runApi({ DATABASE_URL })];
  const [firstUrl, secondUrl] = [await listening(first), await listening(second)];
  const answers = await Promise.all(
    [firstUrl, secondUrl, firstUrl, secondUrl].map((url) => submitTo(url, 'k')),
  );
  const ids = await Promise.all(answers.map(idOf));
  expect(new Set(ids).size).toBe(1);
  expect(await rowsOf(db, 'SELECT id FROM sweeps')).toEqual([{ id: ids[0] }]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201]);

  const id = ids[0]!;
  const events = createClient({ url: secondUrl }).events({ sweep: id, lastEventId: '0-0' });
  await createClient({ url: firstUrl }).pauseSweep({ params: { id } });
  const seen: FunnelEventRow['event'][] = [];
  for await (const { event } of events) {
    seen.push(event);
    if (event.type === 'sweep' && event.status === 'paused') break;
  }
  expect(seen[0]).toEqual({ type: 'sweep', sweepId: id, status: 'running' });

  first.child.kill('SIGKILL');
  await first.ended;
  expect((await createClient({ url: secondUrl }).resumeSweep({ params: { id } })).status).toBe('running');
  expect(await stopped(second)).toBe(0);
});

test('a submission whose process is killed after the 202 becomes one sweep in the other process', async () => {
  const { db, url: DATABASE_URL } = await openDatabase();
  const first = runApi({ DATABASE_URL });
  const firstUrl = await listening(first);
  const release = await holdStructure(db);
  onTestFinished(release);
  const answer = await submitTo(firstUrl, 'k');
  expect(answer.status).toBe(202);
  const place = answer.headers.get('location')!;
  const id = await idOf(answer);
  await vi.waitFor(
    async () =>
      expect(await rowsOf(db, 'SELECT id, status FROM submissions')).toEqual([{ id, status: 'running' }]),
    waiting,
  );
  first.child.kill('SIGKILL');
  await first.ended;
  await release();
  await db.pool.query('UPDATE submissions SET due_at = now()'); // as if the lease of 30 s had run out

  const url = await listening(runApi({ DATABASE_URL }));
  const submission = async () => (await (await fetch(`${url}${place}`)).json()) as Submission;
  await vi.waitFor(async () => expect((await submission()).status).toBe('completed'), waiting);
  const { sweepId } = await submission();
  expect(await rowsOf(db, 'SELECT id FROM sweeps')).toEqual([{ id: sweepId }]);
  const again = await submitTo(url, 'k');
  expect([again.status, await idOf(again)]).toEqual([200, sweepId]);
  expect(await rowsOf(db, `SELECT subject FROM audit_log WHERE action = 'createSweep'`)).toEqual([
    { subject: sweepId },
  ]);
});
