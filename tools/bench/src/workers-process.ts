/** A process with some of the simulated workers. It runs each phase that the parent process sends, and answers with the times. */
import { createDb, type Db, registerWorker, retireWorker } from '@funnel/db';
import { serveParent, tellParent } from './parent.ts';
import { type Operation, operations, type Phase, type Recorder, simulateWorker } from './simulate-worker.ts';

export type WorkersOptions = {
  readonly databaseUrl: string;
  readonly name: string;
  readonly workers: number;
  /** Connections that all workers of the process share; null: each worker has its own pool, like real workers. */
  readonly pool: number | null;
};

export type PhaseResult = {
  /** Milliseconds of each call. */
  readonly taken: Readonly<Record<Operation, readonly number[]>>;
  /** Messages of errors, with their counts. */
  readonly failures: Readonly<Record<string, number>>;
  readonly cpuSeconds: number;
};

const { databaseUrl, name, workers, pool } = JSON.parse(process.argv[2] ?? '{}') as WorkersOptions; // see measure-fleet.ts

/** Connections of a worker with one slot, besides the one for heartbeats: as in apps/worker. */
const ownPool = 3;

const shared = pool === null ? null : createDb(databaseUrl, { max: pool, name: 'funnel fleet' });
const simulated = Array.from({ length: workers }, (_, i): { id: string; db: Db; heartbeatDb: Db } => ({
  id: `${name}-${i}`,
  db: shared ?? createDb(databaseUrl, { max: ownPool, name: 'funnel fleet' }),
  heartbeatDb: shared ?? createDb(databaseUrl, { max: 1, name: 'funnel fleet' }),
}));

const cpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const run = async (phase: Phase): Promise<PhaseResult> => {
  const taken: Record<Operation, number[]> = {
    ...{ claim: [], idle: [], checkpoint: [], complete: [], heartbeat: [], reconcile: [] },
  };
  const failures: Record<string, number> = {};
  const recorder: Recorder = {
    time: async (operation, act) => {
      const started = performance.now();
      const result = await act();
      const milliseconds = performance.now() - started;
      taken[typeof operation === 'function' ? operation(result) : operation].push(milliseconds);
      return result;
    },
    fail: (error) => {
      const text = error instanceof Error ? error.message : String(error);
      const message = text.replace(/[0-9a-f]{64}/g, '…').slice(0, 120); // without ids, so that equal errors are counted together
      failures[message] = (failures[message] ?? 0) + 1;
    },
  };
  const before = cpu();
  await Promise.all(simulated.map(({ id, ...databases }) => simulateWorker(databases, id, phase, recorder)));
  return { taken, failures, cpuSeconds: cpu() - before };
};

const leave = async (): Promise<void> => {
  await Promise.all(
    simulated.map(({ id, db }) => retireWorker(db, { workerId: id, status: 'gone' }).catch(() => {})),
  );
  const databases = simulated.flatMap(({ db, heartbeatDb }) => [db, heartbeatDb]);
  await Promise.all([...new Set(databases)].map((db) => db.close()));
};

for (const { id, db } of simulated) {
  const what = {
    host: name,
    pid: process.pid,
    version: 'fleet',
    backend: 'simulated',
    device: 'none',
    slots: 1,
  };
  await registerWorker(db, { id, ...what });
}
process.on('message', (phase: Phase) => void run(phase).then(tellParent));
serveParent(operations.length, leave);
