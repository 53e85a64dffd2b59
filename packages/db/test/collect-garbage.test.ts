import { RetentionPolicy, routes } from '@funnel/contracts';
import { beforeEach, expect, test } from 'vitest';
import {
  type ClaimedStage,
  cancelSweep,
  claimStage,
  collectGarbage,
  completeStage,
  failAttempt,
  getTrial,
  leaderboard,
  pauseSweep,
  resumeSweep,
  retrySweep,
} from '../src/index.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, drain, evaluationOf, finish, record } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query, sweepStatus, trained, trialStatuses, wrongCounts } from './support/tables.ts';

shareDb();
/** Deletes the sweeps of earlier tests, so that no policy can collect their checkpoints. */
beforeEach(async () => void (await collect()));

const policy = (change: Partial<RetentionPolicy> = {}) =>
  RetentionPolicy.parse({ keepDays: 0, keepBest: 0, metric: 'robustAccuracy', ...change });
const collect = (change: Partial<RetentionPolicy> = {}) =>
  collectGarbage(db, policy(change), { dryRun: false });
const survey = (change: Partial<RetentionPolicy> = {}) =>
  collectGarbage(db, policy(change), { dryRun: true });
const gammas = (...gamma: number[]) => ({ seeds: [seed], space: { gamma } });

const stored = async () => {
  const [row] = await query<{ checkpoints: number; blobs: number; bytes: number }>(
    db,
    'SELECT (SELECT count(*) FROM checkpoints) AS checkpoints, count(*) AS blobs, coalesce(sum(octet_length(bytes)), 0)::bigint AS bytes FROM blobs',
  );
  return row!;
};
/** Checks that kept trials have the final state of every training stage, with all of its blobs. */
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

const wholeOf = async (sweepId: string, trials: number): Promise<boolean[]> => {
  const whole = [];
  for (let number = 0; number < trials; number++) whole.push(await isWhole(`${sweepId}-0000${number}`));
  return whole;
};
type Outcome = { readonly fooled: number; readonly l2?: number; readonly medianL2?: number };

/** Completes the attacks of the sweep in the order of its trials. `fooled`: how many of four images each attack fools. */
const finishWith = async (outcomes: readonly Outcome[]): Promise<void> => {
  const attacks: ClaimedStage[] = [];
  for (let claimed = await claim(db); claimed; claimed = await claim(db))
    if (claimed.spec.kind === 'attack') attacks.push(claimed);
    else await finish(db, claimed);
  for (const [i, claimed] of attacks.entries()) {
    const { fooled, l2, medianL2 } = outcomes[i]!;
    const success = [0, 1, 2, 3].map((image) => image < fooled);
    const { stageId, fencingToken } = claimed;
    await completeStage(db, {
      stageId,
      fencingToken,
      evaluation: evaluationOf(claimed, success, { l2, medianL2 }),
    });
  }
};
const shares = (...fooled: number[]): Outcome[] => fooled.map((count) => ({ fooled: count }));

test('a dry run names exactly the rows that a collection then deletes, and a kept trial keeps everything that it needs', async () => {
  const first = await submit(db, gammas(1, 2, 3));
  await drain(db);
  const live = await submit(db, gammas(3, 4));
  await finish(db, (await claim(db))!);
  expect(await collect({ keepDays: 1 })).toEqual({
    ...{ trials: 0, checkpoints: 0, blobs: 0, datasets: 0, bytes: 0 },
    sweeps: [],
    done: true,
  });

  const before = await stored();
  const promised = await survey({ keepBest: 1 });
  expect(promised.sweeps.find(({ id }) => id === first.sweepId)).toMatchObject({ trials: 2, kept: 1 });
  expect(promised.checkpoints).toBeGreaterThan(0);
  expect(await stored()).toEqual(before);
  expect(await collect({ keepBest: 1 })).toEqual(promised);
  const after = await stored();
  expect(after).toEqual({
    checkpoints: before.checkpoints - promised.checkpoints,
    blobs: before.blobs - promised.blobs,
    bytes: before.bytes - promised.bytes,
  });
  // The best trials by number; a trial that is given up; a trial that the live sweep shares.
  expect(await wholeOf(first.sweepId, 3)).toEqual([true, false, true]);
  expect(await collect({ keepBest: 1 })).toMatchObject({ checkpoints: 0 });

  await drain(db);
  expect(await sweepStatus(db, live.sweepId)).toBe('completed');
  const rows = await leaderboard(db, routes.leaderboard.query.parse({ sweep: first.sweepId }) as never);
  expect(rows.items).toHaveLength(3);
  expect((await getTrial(db, `${first.sweepId}-00001`)).status).toBe('completed');
  expect(await wrongCounts(db)).toEqual([]);
});

test('a collected stage is trained again when a sweep needs it', async () => {
  await submit(db, { seeds: [seed] });
  await drain(db);
  await collect();
  expect(
    await query(
      db,
      `SELECT FROM checkpoints p JOIN chains c ON c.id = p.chain_id JOIN stages s ON s.chain = c.hash WHERE s.seed = $1`,
      [seed],
    ),
  ).toEqual([]);
  const again = await submit(db, { seeds: [seed], attacks: ['fgsm', 'gradient'] });
  expect(again.plan.epochs).toMatchObject({ needed: 6, cached: 0 });
  await pauseSweep(db, again.sweepId);
  expect(await collect()).toMatchObject({ checkpoints: 0 });
  await resumeSweep(db, again.sweepId);
  await drain(db);
  expect(await sweepStatus(db, again.sweepId)).toBe('completed');
  expect(await trained(db, again.sweepId)).toBe(6);
  expect(await wrongCounts(db)).toEqual([]);
});

test('the policy’s metric and attack decide which trials of each sweep are the best', async () => {
  const a = await submit(db, gammas(1, 2, 3));
  await finishWith(shares(3, 1, 2));
  const b = await submit(db, gammas(4, 5));
  await finishWith(shares(2, 4));
  await collect({ keepBest: 2 });
  expect(await wholeOf(a.sweepId, 3)).toEqual([false, true, true]);
  expect(await wholeOf(b.sweepId, 2)).toEqual([true, true]);
  await collect({ keepBest: 1, attack: 'fgsm', metric: 'successRate' });
  expect(await wholeOf(a.sweepId, 3)).toEqual([false, true, false]);
  expect(await wholeOf(b.sweepId, 2)).toEqual([true, false]);
  await collect({ keepBest: 5, attack: 'gradient' }); // no trial has this attack, so no trial is the best
  expect(await wholeOf(a.sweepId, 3)).toEqual([false, false, false]);
});

test('without a metric in the policy, the objective of each sweep decides which trials are the best', async () => {
  const usual = { keepBest: 1, metric: undefined };
  // The attacks fool every image, and none has an ε: the distance of the nearest adversarial image ranks the trials.
  const a = await submit(db, { ...gammas(1, 2, 3), attacks: ['fgsm', 'gradient'] });
  await finishWith([0.3, 0.9, 0.9, 0.8, 0.2, 0.5].map((l2) => ({ fooled: 4, l2 })));
  const b = await submit(db, {
    ...gammas(4, 5),
    attacks: ['fgsm', 'gradient'],
    objective: { attack: 'gradient', metric: 'successRate' },
  });
  await finishWith(shares(1, 3, 4, 2));
  await collect(usual);
  expect(await wholeOf(a.sweepId, 3)).toEqual([false, true, false]);
  expect(await wholeOf(b.sweepId, 2)).toEqual([false, true]);
});

test('a policy that names only an attack ranks by a metric that the attack has', async () => {
  const a = await submit(db, { ...gammas(1, 2), attacks: ['fgsm'] }); // searches, so it has no robust accuracy
  await finishWith([1, 3].map((medianL2) => ({ fooled: 4, medianL2 })));
  await collect({ keepBest: 1, attack: 'fgsm', metric: undefined });
  expect(await wholeOf(a.sweepId, 2)).toEqual([false, true]);
});

test('sweeps that the policy names by id or by name are kept, with the stages that they share', async () => {
  const a = await submit(db, { ...gammas(1, 2), name: `sweep ${seed}` });
  const b = await submit(db, gammas(2, 3));
  const c = await submit(db, gammas(4));
  await drain(db);
  const before = await stored();
  const misspelt = { keepSweeps: [`sweep ${seed}`, 'sweeep'] };
  await expect(collect(misspelt)).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    details: { issues: [{ path: 'keepSweeps[1]', received: '"sweeep"' }] },
  });
  await expect(survey(misspelt)).rejects.toThrow('none called sweeep');
  expect(await stored()).toEqual(before);
  await collect({ keepSweeps: [`sweep ${seed}`, c.sweepId] });
  expect(await wholeOf(a.sweepId, 2)).toEqual([true, true]);
  expect(await wholeOf(b.sweepId, 2)).toEqual([true, false]);
  expect(await wholeOf(c.sweepId, 1)).toEqual([true]);
});

test('when a kept trial needs an early epoch of a chain, only that epoch is kept', async () => {
  const long = await submit(db, { seeds: [seed], space: { optimiseEpochs: 9 } });
  await drain(db);
  const short = await submit(db, { seeds: [seed], space: { optimiseEpochs: 4 } });
  await drain(db);
  await collect({ keepSweeps: [short.sweepId] });
  expect(await wholeOf(short.sweepId, 1)).toEqual([true]);
  expect(await wholeOf(long.sweepId, 1)).toEqual([false]);
  const epochs = await query<{ epoch: number }>(
    db,
    `SELECT p.epoch FROM checkpoints p JOIN chains c ON c.id = p.chain_id
     WHERE c.hash IN (SELECT chain FROM stages WHERE kind = 'optimise' AND seed = $1) ORDER BY 1`,
    [seed],
  );
  expect(epochs).toEqual([{ epoch: 4 }]);
});

test('a collection keeps a running stage and everything that its sweep needs, even if another sweep gave it up', async () => {
  const cancelled = await submit(db, gammas(1, 2));
  const live = await submit(db, gammas(2));
  await finish(db, (await claim(db))!); // the initialisation that both trials share
  await cancelSweep(db, cancelled.sweepId);
  const running = (await claimStage(db, { workerId: 'worker', leaseSeconds: 60, sweep: live.sweepId }))!;
  await record(db, running, { epoch: 1, step: 3 });
  await collect();
  const [kept] = await query<{ n: number }>(
    db,
    `SELECT count(*)::int AS n FROM checkpoints p JOIN chains c ON c.id = p.chain_id JOIN stages s ON s.chain = c.hash WHERE s.seed = $1`,
    [seed],
  );
  expect(kept!.n).toBe(3); // both epochs of the initialisation, and the position of the running stage
  await finish(db, running);
  await drain(db);
  expect(await trialStatuses(db, live.sweepId)).toEqual(['completed']);
});

test('a failed stage can be retried after a collection, from the same checkpoint as before', async () => {
  const { sweepId, plan } = await submit(db, gammas(1, 2));
  for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
    const { stageId, fencingToken, spec } = claimed;
    if (spec.kind !== 'classify') await finish(db, claimed);
    else
      await failAttempt(db, { stageId, fencingToken, code: 'BROKEN', message: 'It broke', maxAttempts: 1 });
  }
  expect(await trialStatuses(db, sweepId)).toEqual(['failed', 'failed']);
  await collect();
  await retrySweep(db, sweepId);
  for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
    expect(claimed.start).not.toBeNull();
    await finish(db, claimed);
  }
  expect(await trialStatuses(db, sweepId)).toEqual(['completed', 'completed']);
  expect(await trained(db, sweepId)).toBe(plan.epochs.needed);
});

test('a collection that runs out of time reports it, and the next call continues', async () => {
  const { sweepId } = await submit(db, gammas(...Array.from({ length: 110 }, (_, i) => i + 1)));
  await drain(db);
  const before = await stored();
  const first = await collectGarbage(db, policy(), { dryRun: false, timeoutMs: 0 });
  expect(first.done).toBe(false);
  expect(first.bytes).toBe(before.bytes);
  const between = await stored();
  expect(between.checkpoints).toBeLessThan(before.checkpoints);
  expect(between.checkpoints).toBeGreaterThan(0);
  expect((await survey()).checkpoints).toBe(between.checkpoints);
  expect((await collect()).done).toBe(true);
  expect(await stored()).toEqual({ checkpoints: 0, blobs: 0, bytes: 0 });
  expect(await sweepStatus(db, sweepId)).toBe('completed');
});

test('a collection during a submission keeps the checkpoints that the new sweep needs', async () => {
  await submit(db, gammas(1, 2, 3, 4));
  await drain(db);
  const [again] = await Promise.all([
    submit(db, { ...gammas(1, 2, 3, 4), attacks: ['gradient'] }),
    collect(),
  ]);
  for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
    if (claimed.spec.kind !== 'initialise') expect(claimed.start).not.toBeNull();
    await finish(db, claimed);
  }
  expect(await trialStatuses(db, again.sweepId)).toEqual(Array(4).fill('completed'));
  expect(await trained(db, again.sweepId)).toBe(again.plan.epochs.needed);
});
