/**
 * Attacks that need the classifiers of other trials: their start, the networks that a claim gives them, and the effect of a missing
 * classifier.
 */
import { RetentionPolicy, type SweepInput } from '@funnel/contracts';
import { describe, expect, test } from 'vitest';
import {
  type ClaimedStage,
  cancelSweep,
  claimStage,
  collectGarbage,
  deleteSweep,
  endStage,
  failAttempt,
  getStage,
  getTrial,
  pauseSweep,
  reconcile,
  resumeSweep,
  retrySweep,
} from '../src/index.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, drain, finish, stateAt } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query, stageCounts, sweepStatus, takeOutbox, trialStatuses, wrongCounts } from './support/tables.ts';

shareDb();

const four = (): Partial<SweepInput> => ({
  seeds: [seed],
  space: { gamma: [1, 2, 3, 4] },
  attacks: ['fgsm', { attack: 'transfer-linf', surrogates: 2 }],
});
const leaseOf = ({ stageId, fencingToken }: ClaimedStage) => ({ stageId, fencingToken });
const claimKind = (kinds: ClaimedStage['spec']['kind'][]) =>
  claimStage(db, { workerId: 'worker', leaseSeconds: 60, kinds });
const transfersOf = (sweepId: string) =>
  query<{ id: string; status: string; skip_cause: string | null }>(
    db,
    `SELECT s.id, s.status, s.skip_cause FROM sweep_stages l JOIN stages s ON s.id = l.stage_id
     WHERE l.sweep_id = $1 AND s.surrogates <> '{}' ORDER BY l.ordinal`,
    [sweepId],
  );
/** Finishes stages until one of this kind is claimed. */
const until = async (kind: string): Promise<ClaimedStage> => {
  for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
    if (claimed.spec.kind === kind) return claimed;
    await finish(db, claimed);
  }
  throw new Error(`Expected a stage of kind ${kind}, but none came`);
};
const fail = (claimed: ClaimedStage) =>
  failAttempt(db, { ...leaseOf(claimed), code: 'BROKEN', message: 'It broke', maxAttempts: 1 });
const collapse = (claimed: ClaimedStage) =>
  endStage(db, { ...leaseOf(claimed), status: 'collapsed', message: 'It ignores its input' });

describe('a transfer attack', () => {
  test('starts when its classifier and all its surrogates have completed, and gets their networks', async () => {
    const { sweepId } = await submit(db, four());
    const done = new Set<string>();
    const attacked: ClaimedStage[] = [];
    for (;;) {
      const claimed = (await claimKind(['initialise', 'optimise', 'classify'])) ?? (await claim(db));
      if (!claimed) break;
      if (claimed.spec.surrogates.length > 0) {
        attacked.push(claimed);
        expect(done).toContain(claimed.spec.parent);
        expect([...done]).toEqual(expect.arrayContaining(claimed.spec.surrogates));
      }
      await finish(db, claimed);
      done.add(claimed.stageId);
      const waiting = await query<{ id: string }>(
        db,
        `SELECT s.id FROM stages s WHERE s.status = 'waiting' AND s.surrogates <> '{}' AND (s.surrogates || s.depends_on) <@ $1::text[]`,
        [[...done]],
      );
      expect(waiting).toEqual([]); // no attack waits whose stages have all completed
    }
    expect(attacked).toHaveLength(4);
    for (const { spec, surrogates } of attacked) {
      const stages = await Promise.all(spec.surrogates.map((id) => getStage(db, id)));
      expect(surrogates).toEqual(
        stages.map(({ chain, epochs }) => ({
          ...stateAt(chain, { epoch: epochs, step: 0 }).manifest,
          moments: null,
        })),
      );
    }
    expect(await sweepStatus(db, sweepId)).toBe('completed');
    expect(await wrongCounts(db)).toEqual([]);
    const { stages, verdict, evaluations } = await getTrial(db, `${sweepId}-00003`);
    expect([verdict, evaluations.length]).toEqual(['ok', 2]);
    expect(stages.at(-1)!.surrogates).toEqual(attacked.at(-1)!.spec.surrogates);
  });

  test('is claimed exactly once by twenty workers at the same time', async () => {
    const gamma = Array.from({ length: 12 }, (_, i) => i + 1);
    const { sweepId, plan } = await submit(db, {
      seeds: [seed],
      space: { gamma },
      attacks: ['transfer-linf', 'transfer-l2'],
    });
    const total = Object.values(plan.stages).reduce((sum, { total }) => sum + total, 0);
    const done: string[] = [];
    let idle = 0;
    const runWorker = async (worker: number) => {
      while (done.length < total && idle < 5000) {
        const claimed = await claim(db, `worker-${worker}`);
        if (claimed) {
          await finish(db, claimed);
          done.push(claimed.stageId);
        } else idle++;
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, i) => runWorker(i)));
    expect(new Set(done).size).toBe(total);
    expect(done).toHaveLength(total);
    expect(await sweepStatus(db, sweepId)).toBe('completed');
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('is shared by sweeps, both before and after its end', async () => {
    const first = await submit(db, four());
    await finish(db, (await claim(db))!);
    const second = await submit(db, four());
    expect(second.plan.stages.attack).toEqual({ total: 8, cached: 8 });
    await drain(db);
    const third = await submit(db, four());
    for (const { sweepId } of [first, second, third])
      expect([await sweepStatus(db, sweepId), (await transfersOf(sweepId)).length]).toEqual(['completed', 4]);
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('is ready at once if its classifiers have completed before', async () => {
    await submit(db, { ...four(), attacks: ['fgsm'] });
    await drain(db);
    await takeOutbox(db);
    const { sweepId, plan } = await submit(db, four());
    expect(plan.epochs.needed).toBe(0);
    expect(await takeOutbox(db)).toHaveLength(4);
    expect((await claim(db))!.surrogates).toHaveLength(2);
    expect(await stageCounts(db, sweepId)).toMatchObject({ 'attack:completed': 4, 'attack:ready': 3 });
  });
});

describe('a surrogate without a result', () => {
  test('that collapsed is left out, now and in later sweeps, and the other trials complete', async () => {
    const { sweepId } = await submit(db, four());
    await collapse(await until('optimise')); // of the first trial, so that its classifier is skipped
    for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
      if (claimed.spec.surrogates.length > 0)
        expect(claimed.surrogates).toHaveLength(
          claimed.spec.surrogates.length - (await collapsedAmong(claimed)),
        );
      await finish(db, claimed);
    }
    expect(await trialStatuses(db, sweepId)).toEqual(['collapsed', 'completed', 'completed', 'completed']);
    expect(await sweepStatus(db, sweepId)).toBe('completed-with-failures');
    expect((await getTrial(db, `${sweepId}-00003`)).warnings).toEqual([
      'transfer-linf used 1 of 2 surrogates: the trials of the others diverged or collapsed.',
    ]);
    await takeOutbox(db);
    const l2 = await submit(db, { ...four(), attacks: [{ attack: 'transfer-l2', surrogates: 2 }] });
    expect(await takeOutbox(db)).toHaveLength(3);
    await drain(db);
    expect(await trialStatuses(db, l2.sweepId)).toEqual(await trialStatuses(db, sweepId));
    expect(await wrongCounts(db)).toEqual([]);
  });

  const collapsedAmong = async ({ spec }: ClaimedStage): Promise<number> => {
    const stages = await Promise.all(spec.surrogates.map((id) => getStage(db, id)));
    return stages.filter(({ status }) => status === 'skipped').length;
  };

  test('that was the last one leads to a skipped attack, with the reason', async () => {
    const { sweepId } = await submit(db, { ...four(), space: { gamma: [1, 2] } });
    await collapse(await until('optimise'));
    await drain(db);
    expect(await trialStatuses(db, sweepId)).toEqual(['collapsed', 'collapsed']);
    const [, last] = await transfersOf(sweepId);
    expect(last).toMatchObject({ status: 'skipped', skip_cause: 'collapsed' });
    expect((await getStage(db, last!.id)).error?.message).toMatch(
      /^No surrogate has a usable result \(0 of 1\): .*It ignores its input/,
    );
    const again = await submit(db, { ...four(), space: { gamma: [1, 2] } });
    expect(await sweepStatus(db, again.sweepId)).toBe('failed');
    const more = await submit(db, { ...four(), space: { gamma: [1, 2] }, attacks: ['transfer-l2'] });
    expect(await trialStatuses(db, more.sweepId)).toEqual(['collapsed', 'collapsed']);
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('that failed fails the attacks that need it, until it is retried', async () => {
    const { sweepId } = await submit(db, four());
    await fail(await until('classify'));
    await drain(db);
    expect(await trialStatuses(db, sweepId)).toEqual(Array(4).fill('failed'));
    expect(await sweepStatus(db, sweepId)).toBe('failed');
    const skipped = { status: 'skipped', skip_cause: 'failed' };
    expect(await transfersOf(sweepId)).toMatchObject(Array(4).fill(skipped));
    expect(await stageCounts(db, sweepId)).toMatchObject({ 'attack:completed': 3, 'classify:completed': 3 });
    await retrySweep(db, sweepId);
    expect(await transfersOf(sweepId)).toMatchObject(Array(4).fill({ status: 'waiting' }));
    await drain(db);
    expect(await trialStatuses(db, sweepId)).toEqual(Array(4).fill('completed'));
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('that is cancelled with another sweep is trained for the sweep that still needs it', async () => {
    const first = await submit(db, four());
    const second = await submit(db, { ...four(), attacks: [{ attack: 'transfer-linf', surrogates: 2 }] });
    const claimed = await until('classify');
    await cancelSweep(db, first.sweepId);
    await finish(db, claimed);
    await drain(db);
    expect(await sweepStatus(db, second.sweepId)).toBe('completed');
    expect(await trialStatuses(db, second.sweepId)).toEqual(Array(4).fill('completed'));
    expect(new Set((await transfersOf(first.sweepId)).map(({ status }) => status))).toEqual(
      new Set(['completed']),
    );
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('that was cancelled with its sweep is reopened by the next', async () => {
    const first = await submit(db, four());
    await finish(db, await until('classify'));
    await cancelSweep(db, first.sweepId);
    expect(new Set((await transfersOf(first.sweepId)).map(({ status }) => status))).toEqual(
      new Set(['cancelled']),
    );
    expect(await claim(db)).toBeNull();
    const second = await submit(db, four());
    await drain(db);
    expect(await trialStatuses(db, second.sweepId)).toEqual(Array(4).fill('completed'));
    expect(await wrongCounts(db)).toEqual([]);
  });
});

describe('transfer attacks of a sweep', () => {
  test('that is paused are held, keep their surrogates from the collection, and go on', async () => {
    const { sweepId } = await submit(db, four());
    for (let claimed = await claimKind(['initialise', 'optimise', 'classify']); claimed; ) {
      await finish(db, claimed);
      claimed = await claimKind(['initialise', 'optimise', 'classify']);
    }
    await pauseSweep(db, sweepId);
    expect(await claim(db)).toBeNull();
    await collectGarbage(db, RetentionPolicy.parse({ keepDays: 0, keepBest: 0 }), { dryRun: false });
    await resumeSweep(db, sweepId);
    for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
      expect(claimed.start).not.toBeNull();
      expect(claimed.surrogates).toHaveLength(claimed.spec.surrogates.length);
      await finish(db, claimed);
    }
    expect(await sweepStatus(db, sweepId)).toBe('completed');
  });

  test('that is deleted leave only the rows that others need', async () => {
    const first = await submit(db, four());
    const second = await submit(db, { ...four(), attacks: [{ attack: 'transfer-linf', surrogates: 2 }] });
    await drain(db);
    await deleteSweep(db, first.sweepId);
    expect((await transfersOf(second.sweepId)).map(({ status }) => status)).toEqual(
      Array(4).fill('completed'),
    );
    await deleteSweep(db, second.sweepId);
    expect(await query(db, 'SELECT id FROM stages WHERE seed = $1', [seed])).toEqual([]);
  });

  test('are repaired by the reconciler if their status is wrong, and not touched if they wait for a reason', async () => {
    const { sweepId } = await submit(db, four());
    const mend = async () => {
      await query(db, `DELETE FROM duties`);
      return (await reconcile(db, { maxAttempts: 3, leaseSeconds: 15, everySeconds: 0 })).repaired;
    };
    await finish(db, await until('classify'));
    expect(await mend()).toBe(0);
    for (let claimed = await claimKind(['optimise', 'classify']); claimed; ) {
      await finish(db, claimed);
      claimed = await claimKind(['optimise', 'classify']);
    }
    expect(await mend()).toBe(0);
    await query(db, `UPDATE stages SET status = 'waiting' WHERE id = $1 AND status = 'ready'`, [
      (await transfersOf(sweepId))[0]!.id,
    ]);
    expect(await mend()).toBe(1);
    await drain(db);
    expect(await sweepStatus(db, sweepId)).toBe('completed');
  });
});
