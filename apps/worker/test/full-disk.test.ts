/** A PostgreSQL whose disk really is full: a file system of its own, small, with a file on it that takes the rest. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createDb, migrate, startEmbedded } from '@funnel/db';
import { pino } from 'pino';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startWorker } from '../src/index.ts';
import { one, results, runningStage, submit, sweepEnded, undisturbedResults } from './fixtures.ts';

/** A folder on a file system of 220 MB; null where none can be mounted. */
const mountSmall = (): string | null => {
  const folder = mkdtempSync(path.join(tmpdir(), 'funnel-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=220m,mode=755', 'funnel-test', folder]);
  onTestFinished(() => {
    if (status === 0) execFileSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  chmodSync(folder, 0o755);
  return status === 0 ? folder : null;
};

it('waits until there is room, and ends with the results of the undisturbed run', async ({ skip }) => {
  const folder = mountSmall();
  if (!folder) {
    console.warn('no file system can be mounted here (it takes root): a full disk is not tested for real');
    return skip();
  }
  const settings = { max_wal_size: '32MB', min_wal_size: '32MB', shared_buffers: '16MB' };
  const server = await startEmbedded({ dir: path.join(folder, 'pgdata'), settings });
  onTestFinished(() => server.stop());
  await migrate(server.url);
  const db = createDb(server.url, { onError: () => {} });
  onTestFinished(() => db.close());
  const sweepId = await submit(db);

  const warnings: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  const running = await startWorker({
    databaseUrl: server.url,
    slots: 2,
    standIn: { stepMilliseconds: 40 },
    log,
  });
  onTestFinished(running.stop);
  await runningStage(db, 'initialise');
  const ballast = path.join(folder, 'ballast');
  const { bavail, bsize } = statfsSync(folder);
  // The server takes some of it meanwhile: what fits, fits.
  expect(() => writeFileSync(ballast, Buffer.alloc((bavail + 1) * bsize))).toThrow(/ENOSPC/);
  // The tables have room for a while in the pages that they have; a large insert has not.
  await expect(
    db.pool.query("CREATE TABLE much AS SELECT repeat('x', 1000) FROM generate_series(1, 50000)"),
  ).rejects.toThrow(/No space left on device|terminat|Connection|ECONN/);
  await vi.waitFor(() => expect(warnings.join('')).toMatch(/No space left|cannot be reached/), {
    timeout: 60_000,
  });
  rmSync(ballast);
  await sweepEnded(db, sweepId, 100_000);
  const { failed } = await one<{ failed: number }>(
    db,
    "SELECT count(*)::int AS failed FROM attempts WHERE outcome = 'failed'",
  );
  expect(failed).toBe(0);
  expect(await results(db)).toEqual(await undisturbedResults());
});
