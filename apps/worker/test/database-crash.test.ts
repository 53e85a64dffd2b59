/** PostgreSQL ends in the middle of everything, as with `pg_ctl restart -m immediate`, and is started again. */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createDb, migrate, startEmbedded } from '@funnel/db';
import { expect, it, onTestFinished } from 'vitest';
import {
  one,
  results,
  runningStage,
  submit,
  sweepEnded,
  undisturbedResults,
  until,
  worker,
} from './fixtures.ts';

it('three immediate restarts of PostgreSQL spend no attempt, end no lease, and change no result', async () => {
  const home = mkdtempSync(path.join(tmpdir(), 'funnel-crash-'));
  chmodSync(home, 0o755); // if root runs the test, PostgreSQL runs as another user
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const dir = path.join(home, 'pgdata');
  const server = await startEmbedded({ dir });
  onTestFinished(() => server.stop());
  await migrate(server.url);
  const db = createDb(server.url, { onError: () => {} });
  onTestFinished(() => db.close());
  const sweepId = await submit(db);
  for (const id of ['a', 'b']) await worker(db, { id, simulation: { stepMilliseconds: 100 } });

  const startedAt = () => one<{ at: Date }>(db, 'SELECT pg_postmaster_start_time() AS at');
  for (const kind of ['initialise', 'optimise', 'optimise']) {
    await runningStage(db, kind);
    const before = (await startedAt()).at.getTime();
    const pid = Number(readFileSync(path.join(dir, 'postmaster.pid'), 'utf8').split('\n')[0]);
    process.kill(pid, 'SIGQUIT'); // without a checkpoint: PostgreSQL recovers from its log
    await until(async () => expect((await startedAt()).at.getTime()).toBeGreaterThan(before));
  }
  await sweepEnded(db, sweepId);
  const wasted = await db.pool.query(
    `SELECT s.kind, a.* FROM attempts a JOIN stages s ON s.id = a.stage_id WHERE a.outcome <> 'completed' OR a.fenced > 0`,
  );
  expect(wasted.rows).toEqual([]);
  expect(await results(db)).toEqual(await undisturbedResults());
}, 600_000);
