import { routes } from '@funnel/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { collectGarbage, type Db, getTrial, leaderboard, pauseSweep, resumeSweep } from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';
import { query, sweepStatus, trained, wrongCounts } from './support/rows.ts';
import { claim, drain, finish } from './support/stand-in.ts';
import { submit } from './support/submit.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());

const policy = { keepDays: 0, keepBest: 0, dryRun: false };
const stored = async () => {
  const [row] = await query<{ checkpoints: number; blobs: number; bytes: number }>(
    db,
    'SELECT (SELECT count(*) FROM checkpoints) AS checkpoints, count(*) AS blobs, coalesce(sum(octet_length(bytes)), 0)::bigint AS bytes FROM blobs',
  );
  return row!;
};
/** Kept trials have the final state of every training stage, with all of its blobs. */
const isWhole = async (trialId: string) => {
  const [row] = await query<{ missing: number }>(
    db,
    `SELECT count(*) AS missing FROM trial_stages ts JOIN stages s ON s.id = ts.stage_id AND s.kind <> 'attack'
     LEFT JOIN chains c ON c.hash = s.chain LEFT JOIN checkpoints p ON p.chain_id = c.id AND p.epoch = s.epochs AND p.step = 0
     WHERE ts.trial_id = $1 AND (p.hash IS NULL OR NOT EXISTS (SELECT FROM checkpoint_blobs b WHERE b.chain_id = p.chain_id AND b.epoch = p.epoch AND b.step = p.step))`,
    [trialId],
  );
  return row!.missing === 0;
};

test('says what it would take, takes that, and never what a kept trial needs', async () => {
  const first = await submit(db, { seeds: [1], space: { gamma: [1, 2, 3] } });
  await drain(db);
  const live = await submit(db, { seeds: [1], space: { gamma: [3, 4] } });
  await finish(db, (await claim(db))!);
  expect(await collectGarbage(db, { ...policy, keepDays: 1 })).toEqual({
    trials: 0,
    checkpoints: 0,
    blobs: 0,
    bytes: 0,
  });

  const before = await stored();
  const promised = await collectGarbage(db, { ...policy, keepBest: 1, dryRun: true });
  expect(promised).toMatchObject({ trials: 2 });
  expect(promised.checkpoints).toBeGreaterThan(0);
  expect(await stored()).toEqual(before);
  expect(await collectGarbage(db, { ...policy, keepBest: 1 })).toEqual(promised);
  const after = await stored();
  expect(after).toEqual({
    checkpoints: before.checkpoints - promised.checkpoints,
    blobs: before.blobs - promised.blobs,
    bytes: before.bytes - promised.bytes,
  });
  const whole = [];
  for (const number of [0, 1, 2]) whole.push(await isWhole(`${first.sweepId}-0000${number}`));
  expect(whole).toEqual([true, false, true]); // the best, by number; one given up; one that the live sweep shares
  expect(await collectGarbage(db, { ...policy, keepBest: 1 })).toMatchObject({ checkpoints: 0 });

  await drain(db);
  expect(await sweepStatus(db, live.sweepId)).toBe('completed');
  const rows = await leaderboard(db, routes.leaderboard.query.parse({ sweep: first.sweepId }) as never);
  expect(rows.items).toHaveLength(3);
  expect((await getTrial(db, `${first.sweepId}-00001`)).status).toBe('completed');
  expect(await wrongCounts(db)).toEqual([]);
});

test('what was collected is trained again when it is needed again', async () => {
  await submit(db, { seeds: [2] });
  await drain(db);
  await collectGarbage(db, policy);
  expect(
    await query(
      db,
      `SELECT FROM checkpoints p JOIN chains c ON c.id = p.chain_id JOIN stages s ON s.chain = c.hash WHERE s.seed = 2`,
    ),
  ).toEqual([]);
  const again = await submit(db, { seeds: [2], attacks: ['fgsm', 'gradient'] });
  expect(again.plan.epochs).toMatchObject({ needed: 6, cached: 0 });
  await pauseSweep(db, again.sweepId);
  expect(await collectGarbage(db, policy)).toMatchObject({ checkpoints: 0 });
  await resumeSweep(db, again.sweepId);
  await drain(db);
  expect(await sweepStatus(db, again.sweepId)).toBe('completed');
  expect(await trained(db, again.sweepId)).toBe(6);
  expect(await wrongCounts(db)).toEqual([]);
});
