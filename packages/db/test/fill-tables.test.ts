import { routes } from '@funnel/contracts';
import { expect, onTestFinished, test } from 'vitest';
import {
  getMetrics,
  getSweep,
  getTrial,
  leaderboard,
  listStages,
  listSweeps,
  listTrials,
} from '../src/index.ts';
import { fillTables, openTestDb } from '../src/testing/index.ts';
import { query, wrongCounts } from './support/tables.ts';

test('the filled tables agree with each other, and every read function can read them', async () => {
  const db = await openTestDb();
  onTestFinished(() => db.close());
  await fillTables(db.url, { sweeps: 2, trialsPerSweep: 20, epochs: 4 });
  expect(await wrongCounts(db)).toEqual([]);
  expect(await query(db, 'SELECT count(*) AS n FROM metrics')).toEqual([{ n: 2 * (9 + 20 * (4 + 3)) * 3 }]);
  const sweeps = await listSweeps(db, { limit: 9 });
  const { id } = sweeps.items[0]!;
  const trials = await listTrials(db, { sweepId: id, limit: 50 });
  const trial = await getTrial(db, trials.items[3]!.id);
  const board = await leaderboard(
    db,
    routes.leaderboard.query.parse({ where: ['gamma:1..2'], group: 'configuration' }) as never,
  );
  expect(board.items.map((row) => row.hyperparameters.gamma).sort()).toEqual([1, 1, 2, 2]);
  for (const [route, answer] of [
    [routes.listSweeps, sweeps],
    [routes.getSweep, await getSweep(db, id)],
    [routes.listTrials, trials],
    [routes.getTrial, trial],
    [routes.getMetrics, { series: await getMetrics(db, trial.id) }],
    [routes.listStages, await listStages(db, { sweepId: id, limit: 9 })],
    [routes.leaderboard, board],
  ] as const)
    expect(route.response.safeParse(answer)).toMatchObject({ success: true });
});
