/** Stages that many trials share. The tests count the rows that each transaction changes. */
import { describe, expect, test } from 'vitest';
import {
  type ClaimedStage,
  cancelSweep,
  continueActions,
  continuePropagation,
  endStage,
  failAttempt,
  getSweep,
  reconcile,
  releaseStage,
} from '../src/index.ts';
import { maxAtOnce } from '../src/lifecycle/propagations.ts';
import { leaseOf, letExpire, options } from './support/attempts.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, finish } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query, stageCounts, sweepStatus, trialStatuses, wrongCounts } from './support/tables.ts';

shareDb();

const trials = 1200;

/** 1,200 trials that share one stage, `initialise`, and have three stages each. */
const submitLarge = async (): Promise<string> => {
  const space = { gamma: { min: 1, max: 64, count: trials } };
  return (await submit(db, { name: 'large', seeds: [seed], space })).sweepId;
};

/** The rows of stages and trials that the newest transaction on stage `id` wrote. */
const rowsOfTransaction = async (id: string): Promise<{ stages: number; trials: number }> => {
  const [row] = await query<{ stages: number; trials: number }>(
    db,
    `SELECT (SELECT count(*)::int FROM stages WHERE xmin = s.xmin) AS stages, (SELECT count(*)::int FROM trials WHERE xmin = s.xmin) AS trials
     FROM stages s WHERE id = $1`,
    [id],
  );
  return row!;
};

/** Does all batches. Resolves to their number, and to the largest number of rows of stages and trials that one of them wrote. */
const continueAll = async (): Promise<{ batches: number; largest: number }> => {
  let [batches, largest] = [0, 0];
  for (;;) {
    const [before] = await query<{ id: string }>(db, 'SELECT pg_current_xact_id()::text AS id');
    if (!(await continuePropagation(db))) break;
    batches += 1;
    const [row] = await query<{ n: number }>(
      db,
      `SELECT count(*)::int AS n FROM (SELECT xmin FROM stages UNION ALL SELECT xmin FROM trials) AS rows WHERE xmin::text::bigint > $1`,
      [before!.id],
    );
    largest = Math.max(largest, row!.n);
  }
  expect(await query(db, 'SELECT * FROM propagations')).toEqual([]);
  return { batches, largest };
};

const countTrials = async (sweepId: string): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const status of await trialStatuses(db, sweepId)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

/** Ends the sweep, so that no later test runs its stages. */
const cancelAll = async (sweepId: string): Promise<void> => {
  await cancelSweep(db, sweepId);
  while (await continueActions(db));
  await continueAll();
};

const few = 2 * maxAtOnce + 1;

describe('a stage that 1,200 trials share', () => {
  test('is claimed, released and completed in transactions of few rows; dependants and trials follow in batches', async () => {
    const sweepId = await submitLarge();
    const claimed = (await claim(db))!;
    expect(await rowsOfTransaction(claimed.stageId)).toEqual({ stages: 1, trials: 0 });
    expect(await countTrials(sweepId)).toEqual({ waiting: trials });
    expect(await continueAll()).toEqual({ batches: 2, largest: 1000 });
    expect(await countTrials(sweepId)).toEqual({ running: trials });
    expect((await getSweep(db, sweepId)).trials).toEqual({ running: trials });

    await releaseStage(db, leaseOf(claimed));
    expect(await rowsOfTransaction(claimed.stageId)).toEqual({ stages: 1, trials: 0 });
    await continueAll();
    expect(await countTrials(sweepId)).toEqual({ waiting: trials });

    const again = (await claim(db))!;
    await finish(db, again);
    expect(await rowsOfTransaction(again.stageId)).toEqual({ stages: 1 + maxAtOnce, trials: 0 });
    expect(await stageCounts(db, sweepId)).toMatchObject({
      'optimise:ready': maxAtOnce,
      'optimise:waiting': trials - maxAtOnce,
    });
    const { largest } = await continueAll();
    expect(largest).toBeLessThanOrEqual(1000);
    expect(await stageCounts(db, sweepId)).toMatchObject({ 'optimise:ready': trials });
    expect(await countTrials(sweepId)).toEqual({ waiting: trials });
    expect(await wrongCounts(db)).toEqual([]);
    await cancelAll(sweepId);
  });

  test.each(['failed', 'diverged'] as const)(
    '%s: its dependants are skipped, and the sweep ends',
    async (end) => {
      const sweepId = await submitLarge();
      const claimed = (await claim(db))!;
      const lease = leaseOf(claimed);
      if (end === 'failed') await failAttempt(db, { ...lease, code: 'X', message: 'x', maxAttempts: 1 });
      else await endStage(db, { ...lease, status: 'diverged', message: 'x' });
      const rows = await rowsOfTransaction(claimed.stageId);
      expect(rows.stages).toBeLessThanOrEqual(few);
      expect(rows.trials).toBeLessThanOrEqual(few);
      expect(await sweepStatus(db, sweepId)).toBe('running');
      const { largest } = await continueAll();
      expect(largest).toBeLessThanOrEqual(2000);
      expect(await countTrials(sweepId)).toEqual({ [end]: trials });
      expect(await sweepStatus(db, sweepId)).toBe('failed');
      const [reason] = await query(
        db,
        `SELECT count(*)::int AS n, min(error_message) AS first, max(error_message) AS last FROM stages WHERE planned_by = $1 AND status = 'skipped'`,
        [sweepId],
      );
      const message = `The initialise stage ${claimed.stageId} that it needs ${end}: x`;
      expect(reason).toEqual({ n: 3 * trials, first: message, last: message });
      expect(await wrongCounts(db)).toEqual([]);
    },
  );

  test('whose lease ran out is ready again, and the reconciler changes few rows', async () => {
    const sweepId = await submitLarge();
    const claimed = (await claim(db))!;
    await continueAll();
    await reconcile(db, options); // the first round forgives leases
    await letExpire(db, claimed.stageId);
    expect(await reconcile(db, options)).toMatchObject({ expired: [claimed.stageId] });
    expect(await rowsOfTransaction(claimed.stageId)).toEqual({ stages: 1, trials: 0 });
    await continueAll();
    expect(await countTrials(sweepId)).toEqual({ waiting: trials });
    expect(await wrongCounts(db)).toEqual([]);
    await cancelAll(sweepId);
  });

  test('that ends before the batches of its claim gives its trials the status after both', async () => {
    const sweepId = await submitLarge();
    const claimed = (await claim(db))!;
    await continuePropagation(db);
    await finish(db, claimed);
    await continueAll();
    expect(await countTrials(sweepId)).toEqual({ waiting: trials });
    await cancelAll(sweepId);
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('is not repaired as forgotten while its batches go on', async () => {
    const sweepId = await submitLarge();
    await finish(db, (await claim(db))!);
    await query(db, `DELETE FROM duties WHERE name = 'repair'`);
    expect(await reconcile(db, options)).toMatchObject({ repaired: 0 });
    await continueAll();
    await query(db, `DELETE FROM duties WHERE name = 'repair'`);
    expect(await reconcile(db, options)).toMatchObject({ repaired: 0 });
    await cancelAll(sweepId);
  });
});

describe('a surrogate of many transfer attacks', () => {
  const submitTransfers = async (): Promise<string> => {
    const space = { gamma: { min: 1, max: 64, count: trials } };
    const attacks = [{ attack: 'transfer-linf', surrogates: 1 }] as const;
    return (await submit(db, { seeds: [seed], space, attacks: [...attacks] })).sweepId;
  };
  /** Finishes stages until the classifier that all attacks of the sweep use is claimed. */
  const claimSurrogate = async (sweepId: string): Promise<ClaimedStage> => {
    const shared = `SELECT surrogates[1] AS id, count(*) FROM stages WHERE planned_by = $1 AND surrogates <> '{}' GROUP BY 1 ORDER BY 2 DESC LIMIT 1`;
    const [row] = await query<{ id: string }>(db, shared, [sweepId]);
    for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
      if (claimed.stageId === row!.id) return claimed;
      await finish(db, claimed);
      await continueAll();
    }
    throw new Error('Expected the surrogate to be ready');
  };

  test('completes in a transaction of few rows, and the attacks that are free become ready', async () => {
    const sweepId = await submitTransfers();
    const surrogate = await claimSurrogate(sweepId);
    await finish(db, surrogate);
    expect((await rowsOfTransaction(surrogate.stageId)).stages).toBeLessThanOrEqual(few);
    await continueAll();
    for (let i = 0; i < 8; i++) await finish(db, (await claim(db))!);
    await continueAll();
    const free = `SELECT count(*)::int AS n FROM stages s JOIN stages c ON c.id = s.depends_on
      WHERE s.planned_by = $1 AND s.kind = 'attack' AND s.status = 'waiting' AND c.status = 'completed'
        AND (SELECT bool_and(g.status = 'completed') FROM stages g WHERE g.id = ANY(s.surrogates))`;
    expect(await query(db, free, [sweepId])).toEqual([{ n: 0 }]);
    expect(await wrongCounts(db)).toEqual([]);
    await cancelAll(sweepId);
  });

  test('fails in a transaction of few rows, and the attacks are skipped', async () => {
    const sweepId = await submitTransfers();
    const surrogate = await claimSurrogate(sweepId);
    await failAttempt(db, { ...leaseOf(surrogate), code: 'X', message: 'x', maxAttempts: 1 });
    expect((await rowsOfTransaction(surrogate.stageId)).stages).toBeLessThanOrEqual(few);
    await continueAll();
    const left = `SELECT count(*)::int AS n FROM stages WHERE status = 'waiting' AND surrogates && ARRAY[$1::text]`;
    expect(await query(db, left, [surrogate.stageId])).toEqual([{ n: 0 }]);
    expect(await wrongCounts(db)).toEqual([]);
    await cancelAll(sweepId);
  });
});
