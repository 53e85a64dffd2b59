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

test('of a large sweep, a bounded number of configurations is counted: those that rank below come first', async () => {
  const db = await openTestDb();
  onTestFinished(() => db.close());
  await fillTables(db.url, { sweeps: 1, trialsPerSweep: 5 * 130, epochs: 1 });
  const below = async (isBelow: string) => {
    await db.pool.query(`UPDATE trials SET verdict = CASE WHEN ${isBelow} THEN 'masked' ELSE 'ok' END`);
    await db.pool.query(`UPDATE configuration_scores c SET below = EXISTS (
      SELECT FROM trials t WHERE t.sweep_id = c.sweep_id AND t.configuration_index = c.configuration_index AND t.verdict = 'masked')`);
    const { items } = await listSweeps(db, { limit: 1 });
    return items[0]!.overview!.best!.below;
  };
  expect(await below('number % 50 = 7')).toEqual({
    ...{ configurations: 13, ranked: 100, verdicts: { masked: 13 } },
    hasMore: true,
  });
  expect(await below('configuration_index > 20')).toEqual({
    ...{ configurations: 100, ranked: 100, verdicts: { masked: 100 } },
    hasMore: true,
  });
  expect(await below('false')).toBeUndefined();
});
