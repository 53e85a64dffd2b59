/** Workers without the API: the API takes a sweep and ends while the sweep runs. The workers run all its stages without it. */
import { expect, it, onTestFinished } from 'vitest';
import { hasRedis, startRedis } from '../../../packages/queue/test/redis-server.ts';
import { startApi } from '../../api/src/start-api.ts';
import {
  one,
  openTestDatabase,
  results,
  silent,
  smallSweep,
  sweepEnded,
  undisturbedResults,
  until,
  workerProcess,
} from './fixtures.ts';

const queues = [
  ['PostgreSQL', async () => undefined],
  ...(hasRedis
    ? [
        [
          'Redis',
          async () => {
            const server = await startRedis();
            onTestFinished(server.stop);
            return server.url;
          },
        ] as const,
      ]
    : []),
] as const;

it.each(queues)(
  'a sweep whose API ends half-way is completed by the workers, with its queue on %s',
  async (_, openQueue) => {
    const db = await openTestDatabase();
    const queueUrl = await openQueue();
    const api = await startApi({
      databaseUrl: db.url,
      ...(queueUrl && { queueUrl }),
      port: 0,
      engineVersion: 'stand-in',
      logger: silent,
    });
    onTestFinished(api.close);
    // These workers practically never poll, so they claim only after a notification.
    const options = { ...(queueUrl && { queueUrl }), pollSeconds: 3600, simulation: { stepMilliseconds: 5 } };
    await Promise.all([workerProcess(db, options), workerProcess(db, options)]);
    const answer = await fetch(`${api.url}/v1/sweeps`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(smallSweep),
    });
    expect(answer.status).toBe(201);
    const { id } = (await answer.json()) as { id: string };
    await until(() => one(db, `SELECT id FROM stages WHERE kind = 'optimise' AND status = 'completed'`));
    await api.close();
    const unfinished = await one<{ n: number }>(
      db,
      `SELECT count(*)::int AS n FROM stages WHERE status IN ('waiting', 'ready', 'running')`,
    );
    expect(unfinished.n).toBeGreaterThan(3);
    await sweepEnded(db, id);
    expect(await results(db)).toEqual(await undisturbedResults());
  },
);
