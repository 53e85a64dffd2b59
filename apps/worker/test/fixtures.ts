/** Sweeps, workers and their results, for tests on a real database. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SweepDefinition, type SweepInput, storedDefinition } from '@funnel/contracts';
import { createDb, type Db, submitSweep } from '@funnel/db';
import { createTestDatabase } from '@funnel/db/testing';
import { buildPlan, outlineSweep } from '@funnel/planner';
import { pino } from 'pino';
import { onTestFinished, vi } from 'vitest';
import { type RunningWorker, startWorker, type WorkerOptions } from '../src/index.ts';

export const silent = pino({ level: 'silent' });

/** A new database, dropped after the test. */
export const openTestDatabase = async (): Promise<Db> => {
  const database = await createTestDatabase();
  const db = createDb(database.url);
  onTestFinished(async () => {
    await db.close();
    await database.drop();
  });
  return db;
};

/** Two trials that share their initialisation, and two more with another seed. */
export const smallSweep: SweepInput = {
  name: 'small',
  recipes: 'funn',
  dataset: { name: 'glyphs', train: 128, test: 20, attack: 10 },
  space: { gamma: [1, 5], initialiseEpochs: 3, optimiseEpochs: 3, classifierEpochs: 2 },
  seeds: 2,
  attacks: ['fgsm', 'deepfool-l2'],
};

export const submit = async (
  db: Db,
  input: SweepInput = smallSweep,
  engineVersion = 'stand-in',
): Promise<string> => {
  const definition = storedDefinition(SweepDefinition.parse(input));
  const outline = outlineSweep(definition, engineVersion);
  const { sweepId } = await submitSweep(db, {
    definition,
    stages: outline.stages,
    buildPlan: (known) => buildPlan(outline, known),
  });
  return sweepId;
};

type Options = Partial<Omit<WorkerOptions, 'log'>>;

/** A worker in this process; stopped after the test. */
export const worker = async (db: Db, options: Options = {}): Promise<RunningWorker> => {
  const started = await startWorker({
    databaseUrl: db.url,
    slots: 2,
    simulation: {},
    ...options,
    log: silent,
  });
  onTestFinished(started.stop);
  return started;
};

const script = fileURLToPath(new URL('./worker-process.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

type WorkerProcess = { readonly child: ChildProcess; readonly trainers: readonly number[] };

/** A worker process, killed after the test. `started` resolves when it has started. See `workerProcess`. */
export const forkWorker = (options: Options, through: readonly string[] = []) => {
  const [execPath, ...before] = [...through, process.execPath];
  const child = fork(script, [JSON.stringify({ slots: 2, simulation: {}, ...options })], {
    ...(execPath !== undefined && { execPath }),
    execArgv: [...before, '--import', tsx],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, started: once(child, 'message').then(([{ trainers }]) => ({ child, trainers })) };
};

/**
 * A worker process, which a test can kill or suspend; killed after the test. Resolves when it has started. `through`: a command that runs the
 * command after it, such as prlimit.
 */
export const workerProcess = (
  db: Db,
  options: Options = {},
  through: readonly string[] = [],
): Promise<WorkerProcess> => forkWorker({ databaseUrl: db.url, ...options }, through).started;

/** Waits until `what` no longer rejects, for nearly as long as a test may take: a slow machine fails no test. */
export const until = <T>(what: () => Promise<T>, milliseconds = 110_000): Promise<T> =>
  vi.waitFor(what, { timeout: milliseconds, interval: 20 });

export const one = async <Row>(db: Db, sql: string, values: unknown[] = []): Promise<Row> => {
  const { rows } = await db.pool.query(sql, values);
  if (rows.length === 0) throw new Error(`Expected a row, but got none: ${sql}`);
  return rows[0];
};

const endedStatuses = ['completed', 'completed-with-failures', 'failed'];

/** Waits until every trial of the sweep has ended. */
export const sweepEnded = (db: Db, sweepId: string, milliseconds?: number): Promise<void> =>
  until(async () => {
    const { status } = await one<{ status: string }>(db, 'SELECT status FROM sweeps WHERE id = $1', [
      sweepId,
    ]);
    if (!endedStatuses.includes(status))
      throw new Error(`Expected the sweep to have ended, but it is ${status}`);
  }, milliseconds);

/** A stage of this kind that runs and has trained at least one step of its second epoch. */
export const runningStage = (db: Db, kind = 'optimise'): Promise<{ id: string }> =>
  until(() =>
    one<{ id: string }>(db, `SELECT id FROM stages WHERE kind = $1 AND status = 'running' AND epoch >= 1`, [
      kind,
    ]),
  );

/** All results in the database: the hash of every checkpoint at the end of an epoch, every metric and count, the summary of every evaluation. */
export const results = async (db: Db) => {
  const checkpoints = await db.pool.query(
    'SELECT c.hash AS chain, p.epoch, p.hash FROM checkpoints p JOIN chains c ON c.id = p.chain_id WHERE p.step = 0 ORDER BY 1, 2',
  );
  const metrics = await db.pool.query(
    'SELECT c.hash AS chain, m.name, m.epoch, m.value FROM metrics m JOIN chains c ON c.id = m.chain_id ORDER BY 1, 2, 3',
  );
  const counts = await db.pool.query(
    'SELECT c.hash AS chain, k.epoch, k.images, k.correct FROM class_counts k JOIN chains c ON c.id = k.chain_id ORDER BY 1, 2',
  );
  const evaluations = await db.pool.query('SELECT stage_id, summary FROM evaluations ORDER BY 1');
  return {
    ...{ checkpoints: checkpoints.rows, metrics: metrics.rows },
    ...{ counts: counts.rows, evaluations: evaluations.rows },
  };
};

/** The results of a sweep that nothing disturbs. */
export const undisturbedResults = async (input: SweepInput = smallSweep) => {
  const db = await openTestDatabase();
  const sweepId = await submit(db, input);
  const running = await worker(db);
  await sweepEnded(db, sweepId);
  await running.stop();
  return results(db);
};
