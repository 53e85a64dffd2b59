/**
 * Every transaction that writes scores also updates the averages over seeds. These tests compare the averages with a plain aggregate of the
 * scores: after seeds that end at the same time, for sweeps that share stages, for masked and missing results, after retries, and for
 * cancelled and deleted sweeps.
 */
import { routes } from '@funnel/contracts';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  type ClaimedStage,
  cancelSweep,
  collectGarbage,
  completeStage,
  type Db,
  deleteSweep,
  failAttempt,
  leaderboard,
  retrySweep,
} from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';
import { createRandom, type Random } from './support/random.ts';
import { claim, evaluationOf, train } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query, wrongAverages } from './support/tables.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());

/** Ends a claimed stage in a random way. */
const end = async (claimed: ClaimedStage, random: Random): Promise<void> => {
  const { stageId, fencingToken, spec } = claimed;
  if (random() < 0.05) {
    await failAttempt(db, {
      stageId,
      fencingToken,
      code: 'INTERNAL',
      message: 'told to fail',
      maxAttempts: 1,
    });
    return;
  }
  await train(db, claimed);
  const evaluation =
    spec.kind === 'attack'
      ? evaluationOf(
          claimed,
          Array.from({ length: 4 }, () => random() < 0.5),
          {
            verdict: random() < 0.15 ? 'masked' : 'ok',
            medianL2: random() < 0.2 ? null : random() < 0.4 ? 'Infinity' : random(),
            l2: random(),
          },
        )
      : undefined;
  await completeStage(db, { stageId, fencingToken, evaluation });
  if (random() < 0.2) await completeStage(db, { stageId, fencingToken, evaluation }); // a second call, as after a lost answer
};

/** Runs several workers at the same time, until no stage is ready or `limit` stages have ended. */
const runWorkers = async (random: Random, limit = Number.POSITIVE_INFINITY): Promise<void> => {
  let left = limit;
  const worker = async (_: unknown, i: number): Promise<void> => {
    while (left-- > 0) {
      const claimed = await claim(db, `worker ${i}`);
      if (!claimed) return;
      await end(claimed, random);
    }
  };
  await Promise.all(Array.from({ length: 6 }, worker));
};

/** The mean; the median when a value is infinite, and of an even number of values the mean of the middle two. */
const average = (utilities: readonly number[]): number => {
  const sorted = [...utilities].sort((a, b) => (a === b ? 0 : a - b));
  if (sorted.at(-1) === Number.POSITIVE_INFINITY)
    return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
  return utilities.reduce((sum, utility) => sum + utility, 0) / utilities.length;
};

/**
 * Rounds to the twelve digits of the database first, then to nine: if a mean is close to a tie, rounding it only once gives another ninth
 * digit.
 */
const roundKept = (value: number): number => Math.round(Math.round(value * 1e12) / 1e3) / 1e9;

/** The expected ranking: the values of all configurations in order, computed from the scores of single trials. */
const rankedByHand = async (attack: string, metric: string) => {
  type Score = {
    sweep: string;
    configuration: number;
    ordinal: number;
    trial: string;
    utility: number | null;
  };
  const scores = await query<Score & { masked: boolean }>(
    db,
    `SELECT sweep_id AS sweep, configuration_index AS configuration, ordinal, trial_id AS trial, utility, below AS masked
     FROM scores WHERE attack = $1 AND metric = $2 ORDER BY trial_id, ordinal`,
    [attack, metric],
  );
  const groups = new Map<string, typeof scores>();
  for (const score of scores) {
    const key = `${score.sweep} ${score.configuration} ${score.ordinal}`;
    groups.set(key, [...(groups.get(key) ?? []), score]);
  }
  const rows = [...groups.values()].map((group) => {
    const utilities = group.map((score) => score.utility).filter((utility) => utility !== null);
    return {
      trial: group[0]!.trial,
      ordinal: group[0]!.ordinal,
      masked: group.some((score) => score.masked),
      utility: utilities.length === group.length ? roundKept(average(utilities)) : null,
      seeds: group.length,
      infinite: utilities.filter((utility) => utility === Number.POSITIVE_INFINITY).length,
    };
  });
  const value = (row: (typeof rows)[number]) => row.utility ?? Number.NEGATIVE_INFINITY;
  return rows.sort(
    (a, b) =>
      Number(a.masked) - Number(b.masked) ||
      (value(a) === value(b) ? 0 : value(b) - value(a)) ||
      (a.trial < b.trial ? -1 : a.trial > b.trial ? 1 : a.ordinal - b.ordinal),
  );
};

/** The ranking of the leaderboard, read page by page. */
const rankedByPages = async (attack: string | undefined, metric: string) => {
  const found = [];
  let cursor: string | undefined;
  do {
    const query = { group: 'configuration', attack, metric, limit: 7, cursor };
    const page = await leaderboard(db, routes.leaderboard.query.parse(query) as never); // filled by the schema
    for (const row of page.items)
      found.push({
        trial: row.trialId,
        masked: row.verdict === 'masked',
        value: row.value === null ? null : roundKept(Number(row.value)),
        seeds: row.seeds.length,
        infinite: row.infiniteSeeds ?? 0,
        interval: row.halfWidth !== null,
      });
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return found;
};

test('the average contains all seeds that end at the same moment', async () => {
  const { sweepId } = await submit(db, { seeds: 6, attacks: ['fgsm'] });
  const attacks: ClaimedStage[] = [];
  for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
    if (claimed.spec.kind === 'attack') attacks.push(claimed);
    else await end(claimed, () => 0.9);
  }
  const [first, ...others] = attacks.map((claimed, i) => () => end(claimed, () => 0.5 + i / 20)); // each with a different distance
  await first!();
  // The others run at the same time: each has read the scores and waits for the lock of the averages.
  const client = new pg.Client({ connectionString: db.url });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT FROM configuration_scores FOR UPDATE');
    const ended = Promise.all(others.map((other) => other()));
    await vi.waitFor(async () => {
      const { rows } = await client.query(
        'SELECT count(DISTINCT pid)::int AS n FROM pg_locks WHERE NOT granted',
      );
      expect(rows[0].n).toBe(others.length);
    }, 30_000);
    await client.query('COMMIT');
    await ended;
  } finally {
    await client.end();
  }
  expect(await wrongAverages(db)).toEqual([]);
  const query = { group: 'configuration', sweep: sweepId };
  const { items } = await leaderboard(db, routes.leaderboard.query.parse(query) as never); // filled by the schema
  expect(items.map((row) => row.seeds.length)).toEqual([6]);
  await deleteSweep(db, sweepId);
});

test.each([1, 2, 3])('the averages agree with the scores after random work (seed %i)', async (seed) => {
  const random = createRandom(seed);
  const space = { gamma: [1, 2, 3, 4], optimiseEpochs: [2, 3] };
  const attacks: ('fgsm' | 'gradient')[] = ['fgsm', 'gradient'];
  const latent = 8 + seed;
  const first = await submit(db, { seeds: [1, 2, 3], space: { ...space, latent }, attacks });
  await runWorkers(random, 30);
  // The second sweep shares half of its stages with the first one, and has its seeds in another order.
  const second = await submit(db, {
    seeds: [3, 4, 1],
    space: { gamma: [3, 4, 5], latent },
    attacks: ['fgsm'],
  });
  await runWorkers(random, 30);
  expect(await wrongAverages(db)).toEqual([]);
  await cancelSweep(db, second.sweepId);
  await runWorkers(random);
  expect(await wrongAverages(db)).toEqual([]);
  for (const { sweepId } of [first, second]) await retrySweep(db, sweepId).catch(() => {}); // fails if no stage has failed
  await runWorkers(random);
  // All stages of this sweep have ended before.
  const third = await submit(db, { seeds: [1, 2, 3], space: { ...space, latent }, attacks });
  await runWorkers(random);
  expect(await wrongAverages(db)).toEqual([]);
  await Promise.all([deleteSweep(db, first.sweepId), runWorkers(random)]);
  await collectGarbage(
    db,
    { keepDays: 0, keepBest: 0, metric: 'robustAccuracy', keepSweeps: [] },
    { dryRun: false },
  );
  expect(await wrongAverages(db)).toEqual([]);
  for (const attack of [undefined, 'fgsm', 'gradient'])
    for (const metric of ['robustAccuracy', 'medianL2', 'successRate'] as const) {
      const wanted = await rankedByHand(attack ?? '', metric);
      const sign = metric === 'successRate' ? -1 : 1;
      expect(await rankedByPages(attack, metric)).toEqual(
        wanted.map(({ trial, masked, utility, seeds, infinite }) => ({
          ...{ trial, masked, seeds, infinite },
          interval: utility !== null && infinite === 0 && seeds > 1,
          value: utility === null ? null : utility * sign + 0, // + 0 turns −0 into 0
        })),
      );
      if (attack !== 'gradient') expect(wanted.length).toBeGreaterThan(7);
    }
  expect(await query(db, 'SELECT FROM configuration_scores WHERE sweep_id = $1', [first.sweepId])).toEqual(
    [],
  );
  expect(third.plan.trials).toBe(24);
});
