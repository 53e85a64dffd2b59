/** Trainers that run out of memory, in every way that this machine can produce, and the end of their sweep. */

import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { engineVersion } from '@funnel/contracts';
import type { Db } from '@funnel/db';
import { expect, it, onTestFinished, vi } from 'vitest';
import { one, openTestDatabase, submit, sweepEnded, until, workerProcess } from './fixtures.ts';

// A sweep here starts three to five trainers, each about 3 s of processor time, one after the other. On a machine with other work that takes
// minutes, which is no fault. So every wait ends with its condition, and the limits are only there for a sweep that never ends.
vi.setConfig({ testTimeout: 600_000 });
const patienceMs = 590_000;

type Fault = 'memory' | 'buffers' | 'wasm';

/** Runs a sweep of two seeds. For one seed, every trainer of a classifier runs out of memory. */
const starve = async (db: Db, fault: Fault, through: readonly string[] = []): Promise<void> => {
  const sweepId = await submit(db);
  const simulation = { faults: [{ fault, kind: 'classify', seed: 1 }] } as const;
  await workerProcess(db, { slots: 1, maxAttempts: 2, simulation }, through);
  await sweepEnded(db, sweepId, patienceMs);
};

const expectFailedForMemory = async (db: Db, how: RegExp): Promise<void> => {
  const trials = await db.pool.query(
    'SELECT seed, status, count(*)::int AS count FROM trials GROUP BY 1, 2 ORDER BY 1, 2',
  );
  expect(trials.rows).toEqual([
    { seed: 0, status: 'completed', count: 2 },
    { seed: 1, status: 'failed', count: 2 },
  ]);
  const { rows: stages } = await db.pool.query(
    "SELECT kind, failures, expiries, error_code, error_message FROM stages WHERE status = 'failed' AND kind = 'classify'",
  );
  expect(stages).toHaveLength(2);
  for (const stage of stages) {
    expect(stage).toMatchObject({ failures: 2, expiries: 0, error_code: 'TRAINER_OUT_OF_MEMORY' });
    expect(stage.error_message).toMatch(how);
    expect(stage.error_message).toContain('fewer trainers (FUNNEL_SLOTS), or the sweep a smaller batchSize');
  }
  const attempts = await one(
    db,
    "SELECT count(*)::int AS failed, count(DISTINCT error_code)::int AS codes FROM attempts WHERE outcome = 'failed'",
  );
  expect(attempts).toEqual({ failed: 4, codes: 1 });
};

it('V8’s heap is full: the trainer aborts, its stage is tried again and then fails, the rest of the sweep goes on', async () => {
  const db = await openTestDatabase();
  await starve(db, 'memory');
  await expectFailedForMemory(db, /ran out of memory \(it was ended by SIGABRT\).*heap out of memory/s);
});

it('WebAssembly’s memory cannot grow: another trainer replaces this one', async () => {
  const db = await openTestDatabase();
  await starve(db, 'wasm');
  await expectFailedForMemory(db, /ran out of memory .*WebAssembly\.Memory\.grow/s);
});

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;
if (!hasPrlimit)
  console.warn('prlimit is not installed, so running out of memory outside of the heap is not tested');

/** Limit of writable memory for each process of the worker: enough for a supervisor, and for a trainer without faults. */
const dataBytes = 700 * 2 ** 20;

it.runIf(hasPrlimit)(
  'the system gives no more memory (RLIMIT_DATA): the stage is tried again and then fails',
  async () => {
    const db = await openTestDatabase();
    await starve(db, 'buffers', ['prlimit', `--data=${dataBytes}`]);
    await expectFailedForMemory(db, /ran out of memory/);
  },
);

it.runIf(hasPrlimit)(
  'real training runs out of memory for its tensors: it is not tried again, and a smaller network trains on new trainers',
  async () => {
    const db = await openTestDatabase();
    const sweepId = await submit(
      db,
      {
        name: 'too large',
        recipes: 'classic',
        dataset: { name: 'glyphs', train: 2048, test: 20, attack: 10 },
        space: {
          filters: ['512', '4-8'], // the first layer alone needs 2048 · 14 · 14 · 512 · 4 bytes, more than the limit
          batchSize: 2048,
          latent: 8,
          initialiseEpochs: 1,
          optimiseEpochs: 1,
          classifierEpochs: 1,
        },
        attacks: ['fgsm'],
      },
      engineVersion,
    );
    const through = ['prlimit', `--data=${dataBytes}`];
    await workerProcess(db, { slots: 1, maxAttempts: 2, backend: 'wasm', simulation: undefined }, through);
    await sweepEnded(db, sweepId, patienceMs);
    const { rows: trials } = await db.pool.query(
      "SELECT hyperparameters ->> 'filters' AS filters, status FROM trials ORDER BY number",
    );
    expect(trials).toEqual([
      { filters: '512', status: 'failed' },
      { filters: '4-8', status: 'completed' },
    ]);
    const stage = await one<{ failures: number; error_code: string; error_message: string }>(
      db,
      "SELECT failures, error_code, error_message FROM stages WHERE status = 'failed' AND kind = 'initialise'",
    );
    expect(stage).toMatchObject({ failures: 0, error_code: 'TRAINER_OUT_OF_MEMORY' });
    expect(stage.error_message).toContain('No live worker has more memory');
    const attempts = await one(
      db,
      "SELECT count(*)::int AS count, bool_and(outcome = 'handed-back') AS back FROM attempts WHERE error_code = 'TRAINER_OUT_OF_MEMORY'",
    );
    expect(attempts).toEqual({ count: 1, back: true });
    expect(stage.error_message).toMatch(
      /ran out of memory .*(memory access out of bounds|Cannot enlarge memory|WebAssembly\.Memory)/s,
    );
  },
);

/** Makes a control group (version 2) with a limit; null where this is not possible. */
const makeGroup = (bytes: number): string | null => {
  try {
    const own = /^0::(.+)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
    for (const parent of [path.join('/sys/fs/cgroup', own), '/sys/fs/cgroup']) {
      const controllers = readFileSync(path.join(parent, 'cgroup.subtree_control'), 'utf8');
      if (!controllers.split(/\s/).includes('memory')) continue;
      const group = path.join(parent, `funnel-test-${process.pid}`);
      mkdirSync(group);
      onTestFinished(() => until(async () => rmdirSync(group)));
      accessSync(path.join(group, 'memory.max'), constants.W_OK);
      writeFileSync(path.join(group, 'memory.max'), String(bytes));
      writeFileSync(path.join(group, 'memory.swap.max'), '0');
      return group;
    }
  } catch {}
  return null;
};

it('the kernel kills the trainer (memory.max of its control group): the stage is tried again and then fails', async ({
  skip,
}) => {
  const group = makeGroup(700 * 2 ** 20);
  if (!group) {
    console.warn(
      'this machine lets us make no control group (version 2) for memory, so a kill by the kernel is not tested',
    );
    return skip();
  }
  const db = await openTestDatabase();
  const enter = `echo $$ > ${group}/cgroup.procs && exec "$0" "$@"`;
  await starve(db, 'buffers', ['sh', '-c', enter]);
  await expectFailedForMemory(
    db,
    /The system ran out of memory and killed the trainer \(it was ended by SIGKILL\)/,
  );
});
