/**
 * What the fuzz of extremes needs: the API in a process of its own, a neighbour, a sweep with results, a second sweep that may be cancelled
 * and deleted, and the leaves of every operation.
 */
import { createDb, type Db } from '@funnel/db';
import { createTestDatabase } from '@funnel/db/testing';
// The simulated trainer of the database's tests.
import { drain } from '../../../../packages/db/test/support/simulated-trainer.ts';
import { oneTrial } from '../build.ts';
import { type Operation, operations, resolve } from './api-document.ts';
import { type ApiProcess, startApiProcess } from './api-process.ts';
import { type ChangedRequest, requestWith, sweepFor } from './change-request.ts';
import { createFuzzClient, type FuzzClient } from './fuzz-client.ts';
import { type Change, type Leaf, leavesOf } from './leaves.ts';
import { openNeighbour } from './neighbour.ts';

/** Existing ids: by the noun before the parameter in a path, or by the name of a parameter. */
type Ids = Readonly<Record<string, readonly string[]>>;

const idsOf = ({ method, path }: Operation, ids: Ids, name: string): readonly string[] => {
  const [, noun = name] = new RegExp(`(\\w+)/\\{${name}\\}`).exec(path) ?? [];
  if (noun === 'sweeps' && method !== 'GET') return ids.victim!;
  return (path.includes(`{${name}}`) ? ids[noun] : ids[`?${name}`]) ?? [];
};

export type Fuzzed = { readonly operation: Operation; readonly leaves: readonly Leaf[] };

export type FuzzedApi = {
  readonly api: ApiProcess;
  readonly db: Db;
  readonly client: FuzzClient;
  readonly neighbour: ReturnType<typeof openNeighbour>;
  /** The operations that have leaves. The body of `createSweep` is that of `planSweep`. */
  readonly operations: readonly Fuzzed[];
  readonly requestWith: (operation: Operation, changes: readonly Change[]) => ChangedRequest;
  readonly close: () => Promise<void>;
};

const submit = async (url: string, change: object): Promise<string> => {
  const response = await fetch(`${url}/v1/sweeps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...oneTrial, ...change }),
  });
  return ((await response.json()) as { readonly id: string }).id;
};

const readIds = async (db: Db, sweep: string, victim: string): Promise<Ids> => {
  const read = async (sql: string): Promise<readonly string[]> =>
    (await db.pool.query<{ id: string }>(`${sql} ORDER BY 1 LIMIT 2`)).rows.map(({ id }) => id);
  const trials = await read(`SELECT id FROM trials WHERE sweep_id = '${sweep}'`);
  const evaluations = await read(
    `SELECT e.stage_id AS id FROM evaluations e JOIN trial_stages t ON t.stage_id = e.stage_id WHERE t.trial_id = '${trials[0]}'`,
  );
  return {
    sweeps: [sweep],
    victim: [victim],
    trials: trials.slice(0, 1),
    stages: evaluations,
    evaluations,
    checkpoints: (await read('SELECT hash AS id FROM checkpoints')).slice(0, 1),
    network: ['encoder'],
    '?sweep': [sweep],
    '?trials': [trials.join(',')],
  };
};

export const startFuzzedApi = async (): Promise<FuzzedApi> => {
  const database = await createTestDatabase();
  const db = createDb(database.url);
  const api = await startApiProcess(database.url);
  const sweep = await submit(api.url, { seeds: 2 });
  await drain(db);
  const victim = await submit(api.url, { name: 'victim', seeds: [7] });
  const ids = await readIds(db, sweep, victim);
  const neighbour = openNeighbour(api.url);
  return {
    api,
    db,
    client: createFuzzClient(api.url, api.faults),
    neighbour,
    operations: operations
      .map((operation) => ({
        operation,
        leaves: leavesOf(operation, resolve, (name) => idsOf(operation, ids, name)).filter(
          ({ part }) => operation.id !== 'createSweep' || part !== 'body',
        ),
      }))
      .filter(({ leaves }) => leaves.length > 0),
    requestWith: (operation, changes) =>
      requestWith(
        operation,
        {
          body: operation.path.startsWith('/v1/sweeps') ? sweepFor(changes) : {},
          idOf: (name) => idsOf(operation, ids, name)[0] ?? 'none',
        },
        changes,
      ),
    close: async () => {
      await neighbour.close();
      await api.close();
      await db.close();
      await database.drop();
    },
  };
};
