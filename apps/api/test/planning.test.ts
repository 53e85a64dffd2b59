import { SweepDefinition } from '@funnel/contracts';
import { createDb, type Db } from '@funnel/db';
import { openTestDb } from '@funnel/db/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPlanner } from '../src/planning/plan-and-submit.ts';
import { createPlanning, type Planning } from '../src/planning/planning.ts';
import { oneTrial } from './build.ts';

let db: Db;
let planning: Planning;
beforeAll(async () => {
  db = await openTestDb();
  planning = createPlanning(db);
});
afterAll(async () => {
  await planning.close();
  await db.close();
});

const engineVersion = 'test';
/** 1,600 trials: planned in a process. */
const large = SweepDefinition.parse({
  ...oneTrial,
  name: 'large',
  space: { ...oneTrial.space, gamma: { min: 1, max: 2, count: 40 }, beta: { min: 0.1, max: 1, count: 40 } },
});

test('a plan asks the database as often for many new trials as for few', async () => {
  const count = async (trials: number): Promise<number> => {
    let statements = 0;
    const counting = createDb(db.url, { onStatement: () => statements++ });
    const space = { ...oneTrial.space, gamma: { min: 3, max: 4, count: trials } };
    const definition = SweepDefinition.parse({ ...oneTrial, space, attacks: { preset: 'quick' } });
    const plan = await createPlanner(counting).plan({ definition, engineVersion });
    expect(plan.stages.attack).toEqual({ total: 6 * trials, cached: 0 });
    await counting.close();
    return statements;
  };
  expect(await count(5000)).toBe(await count(1000));
});

describe('a large sweep', () => {
  test('is planned off the event loop, with the same result', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const plan = await planning.plan({ definition: large, engineVersion });
    clearInterval(timer);
    expect(plan).toEqual(await createPlanner(db).plan({ definition: large, engineVersion }));
    expect(plan.trials).toBe(1600);
    expect(turns).toBeGreaterThan(20);
  });

  test('is submitted once under its key', async () => {
    const request = { definition: large, engineVersion, idempotencyKey: 'k' };
    const [first, second] = [await planning.submit(request), await planning.submit(request)];
    expect(first).toMatchObject({ created: true });
    // The only ready stage, for the relay of the process that asked.
    expect((await db.pool.query('SELECT stage_id FROM outbox')).rows).toHaveLength(1);
    expect(second).toMatchObject({ created: false, sweepId: first.sweepId });
    const { rows } = await db.pool.query('SELECT count(*) FROM trials WHERE sweep_id = $1', [first.sweepId]);
    expect(Number(rows[0].count)).toBe(1600);
    const other = { ...request, definition: { ...large, name: 'other' } };
    await expect(planning.submit(other)).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  test('keeps its issues when it is refused in a process', async () => {
    const space = { ...large.space, beta: { min: -1, max: 1, count: 40, scale: 'linear' as const } };
    await expect(planning.plan({ definition: { ...large, space }, engineVersion })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      details: { issues: [{ path: 'space.beta.min', received: '-1' }] },
    });
  });

  test('that is being planned when the service closes is answered', async () => {
    const own = createPlanning(db);
    const plan = own.plan({ definition: large, engineVersion });
    const refused = expect(plan).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await own.close();
    await refused;
  });
});

describe('a transfer attack', () => {
  const one = SweepDefinition.parse({ ...oneTrial, attacks: ['fgsm', 'transfer-linf'] });

  test('on the only classifier of a sweep is refused by plan and by submit', async () => {
    const before = await db.pool.query('SELECT count(*) FROM sweeps');
    for (const ask of [planning.plan, planning.submit])
      await expect(ask({ definition: one, engineVersion })).rejects.toMatchObject({
        code: 'INVALID_REQUEST',
        details: {
          issues: [
            { path: 'attacks', expected: expect.stringContaining('at least two classifiers'), received: '1' },
          ],
        },
      });
    expect((await db.pool.query('SELECT count(*) FROM sweeps')).rows).toEqual(before.rows);
  });

  test('on two is planned', async () => {
    const plan = await planning.plan({ definition: { ...one, seeds: [0, 1] }, engineVersion });
    expect(plan.stages.attack.total).toBe(4);
  });
});
