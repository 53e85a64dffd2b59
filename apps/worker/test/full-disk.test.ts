/** A full disk, of PostgreSQL or of the worker: a real, small file system. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { engineVersion, type SweepInput } from '@funnel/contracts';
import { createDb, type Db, migrate, startEmbedded } from '@funnel/db';
import { mountSmallDisk } from '@funnel/db/testing';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { startWorker } from '../src/index.ts';
import {
  one,
  openTestDatabase,
  results,
  runningStage,
  submit,
  sweepEnded,
  undisturbedResults,
  until,
} from './fixtures.ts';

/** Nearly as long as a test may take: PostgreSQL recovers in a time that depends on the machine. */
const patienceMs = 590_000;

/** Small inserts still fit into existing pages of the tables; a large insert does not. */
const growTable = (db: Db) =>
  db.pool.query("CREATE TABLE much AS SELECT repeat('x', 1000) FROM generate_series(1, 50000)");

/** PostgreSQL first fills existing files of its log; a new file has no room. Then the server ends, and cannot start. */
const growLog = async (db: Db): Promise<void> => {
  for (;;)
    await db.pool.query(
      "SELECT pg_logical_emit_message(false, 'funnel', repeat('x', 10000000)), pg_switch_wal()",
    );
};

it.for([
  ['refuses inserts', growTable, /No space left on device|terminat|Connection|ECONN/],
  ['ends and cannot start', growLog, /terminat|Connection|ECONN|No space left on device/],
] as const)(
  'waits until there is room, and ends with the results of the undisturbed run: PostgreSQL %s',
  { timeout: 600_000 },
  async ([, grow, refusal], { skip }) => {
    const disk = mountSmallDisk(220);
    if (!disk) return skip();
    onTestFinished(disk.unmount);
    const said: string[] = [];
    const server = await startEmbedded({
      dir: path.join(disk.folder, 'pgdata'),
      settings: { shared_buffers: '16MB' },
      log: (message, __, level) => {
        if (level === 'warn') said.push(message);
      },
    });
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
      simulation: { stepMilliseconds: 40 },
      log,
    });
    onTestFinished(running.stop);
    await runningStage(db, 'initialise');
    disk.fill();
    await expect(grow(db)).rejects.toThrow(refusal);
    if (grow === growLog) {
      disk.fill(); // takes the space that the ended processes freed
      await until(async () => expect(said.join('\n')).toContain('could not be started'));
    }
    await until(async () => expect(warnings.join('')).toMatch(/No space left|cannot be reached/), patienceMs);
    disk.free();
    await sweepEnded(db, sweepId, patienceMs);
    const { failed } = await one<{ failed: number }>(
      db,
      "SELECT count(*)::int AS failed FROM attempts WHERE outcome = 'failed'",
    );
    expect(failed).toBe(0);
    expect(await results(db)).toEqual(await undisturbedResults());
    if (grow !== growLog) return;
    expect(said).toEqual([
      'PostgreSQL ended by itself; Funnel starts it again',
      expect.stringMatching(/No space left on device.*Funnel tries again until it starts\.$/s),
      'PostgreSQL runs again',
    ]);
  },
);

const tiny: SweepInput = {
  name: 'tiny',
  recipes: 'classic',
  dataset: { name: 'glyphs', train: 64, test: 32, attack: 4 },
  space: { filters: '4', latent: 4, initialiseEpochs: 1, optimiseEpochs: 1, classifierEpochs: 1 },
  attacks: ['fgsm'],
};

it('a worker whose own disk is full trains as always, and says once that its log cannot be written', async ({
  skip,
}) => {
  const disk = mountSmallDisk(8);
  if (!disk) return skip();
  onTestFinished(disk.unmount);
  const db = await openTestDatabase();
  const file = path.join(disk.folder, 'worker.log');
  const log = openSync(file, 'a');
  disk.fill();
  // Everything that this process and its trainers may write to lies on the full disk.
  const here = { HOME: disk.folder, TMPDIR: disk.folder, FUNNEL_HOME: disk.folder };
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const child = spawn(process.execPath, ['--import', tsx, main], {
    cwd: disk.folder,
    env: { PATH: process.env.PATH, DATABASE_URL: db.url, FUNNEL_SLOTS: '1', FUNNEL_BACKEND: 'wasm', ...here },
    stdio: ['ignore', log, 'pipe'],
  });
  let said = '';
  child.stderr!.on('data', (chunk) => {
    said += chunk;
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  closeSync(log);
  const sweepId = await submit(db, tiny, engineVersion);
  await sweepEnded(db, sweepId, patienceMs);
  const { outcomes } = await one<{ outcomes: string[] }>(
    db,
    'SELECT array_agg(DISTINCT outcome::text) AS outcomes FROM attempts',
  );
  expect(outcomes.filter((outcome) => outcome === 'failed' || outcome === 'handed-back')).toEqual([]);
  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(readFileSync(file, 'utf8')).toBe('');
  expect(said).toBe(
    'The log on stdout cannot be written (ENOSPC: no space left on device, write). Its lines are lost until writing works again.\n',
  );
}, 600_000);
