/** The robust accuracy at ε of attacks that look for the smallest change. */
import { routes } from '@funnel/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { completeStage, type Db, getTrial, leaderboard, listTrials } from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';
import { leaseOf } from './support/attempts.ts';
import { claim, evaluationOf, finish } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());

test('an attack that looks for the smallest change has its robust accuracy at the ε that it or the trial names', async () => {
  const { sweepId } = await submit(db, {
    attacks: [
      { attack: 'pgd-linf', epsilon: 0.3 },
      { attack: 'fab-t-linf', epsilon: 0.2 },
      'fmn-linf',
      'deepfool-l2',
    ],
  });
  for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
    if (claimed.spec.kind !== 'attack') {
      await finish(db, claimed);
      continue;
    }
    // The changes of successes have L∞ l2 / 2: 0.25. Three of four images fall.
    const evaluation = evaluationOf(claimed, [true, true, true, false], { l2: 0.5 });
    await completeStage(db, { ...leaseOf(claimed), evaluation });
  }
  const { items } = await listTrials(db, { sweepId, limit: 1 });
  const { evaluations } = await getTrial(db, items[0]!.id);
  const images = evaluations[0]!.summary.images;
  expect(Object.fromEntries(evaluations.map((each) => [each.attack, each.robustAtEpsilon]))).toEqual({
    'pgd-linf': undefined,
    'fab-t-linf': { norm: 'linf', epsilon: 0.2, robust: images, accuracy: 1 },
    'fmn-linf': { norm: 'linf', epsilon: 0.3, robust: images / 4, accuracy: 0.25 },
    'deepfool-l2': undefined, // the trial names no ε in L2
  });
  // A list has it when asked.
  const [listed] = (await listTrials(db, { sweepId, limit: 1, include: ['robustAtEpsilon'] })).items;
  const parts = ({ attack, robustAtEpsilon }: { attack: string; robustAtEpsilon?: unknown }) => [
    attack,
    robustAtEpsilon,
  ];
  expect(listed!.evaluations.map(parts)).toEqual(evaluations.map(parts));
  expect(items[0]!.evaluations.map(({ robustAtEpsilon }) => robustAtEpsilon)).toEqual(
    Array(4).fill(undefined),
  );
});

test('a row of a ranking has it over the images of all seeds', async () => {
  const { sweepId } = await submit(db, {
    seeds: [3, 4],
    attacks: [
      { attack: 'pgd-linf', epsilon: 0.3 },
      { attack: 'fab-t-linf', epsilon: 0.2 },
      'fmn-linf',
      'deepfool-l2',
    ],
  });
  for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
    if (claimed.spec.kind !== 'attack') {
      await finish(db, claimed);
      continue;
    }
    const fallen = claimed.spec.seed === 3 ? [true, true, true, false] : [true, true, false, false];
    await completeStage(db, { ...leaseOf(claimed), evaluation: evaluationOf(claimed, fallen, { l2: 0.5 }) });
  }
  const robustOf = async (attack: string) => {
    const query = routes.leaderboard.query.parse({ sweep: sweepId, attack, group: 'configuration' });
    const { items } = await leaderboard(db, query);
    expect(items).toMatchObject([{ seeds: [3, 4], counts: { images: 40 } }]);
    return items[0]!.robustAtEpsilon;
  };
  expect(await robustOf('fmn-linf')).toEqual({ norm: 'linf', epsilon: 0.3, robust: 15, accuracy: 15 / 40 });
  expect(await robustOf('fab-t-linf')).toEqual({ norm: 'linf', epsilon: 0.2, robust: 40, accuracy: 1 });
  expect(await robustOf('pgd-linf')).toBeUndefined();
  expect(await robustOf('deepfool-l2')).toBeUndefined();
});

test('two sweeps that share the attack count at their own ε', async () => {
  const sweepAt = (epsilon: number) =>
    submit(db, { seeds: [5], attacks: [{ attack: 'pgd-linf', epsilon }, 'fmn-linf'] });
  const [near, far] = [await sweepAt(0.2), await sweepAt(0.3)];
  for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
    if (claimed.spec.kind !== 'attack') {
      await finish(db, claimed);
      continue;
    }
    // The changes have L∞ 0.25.
    const evaluation = evaluationOf(claimed, [true, true, true, false], { l2: 0.5 });
    await completeStage(db, { ...leaseOf(claimed), evaluation });
  }
  const query = routes.leaderboard.query.parse({ attack: 'fmn-linf', group: 'trial' });
  const { items } = await leaderboard(db, query);
  const robustOf = ({ sweepId }: { sweepId: string }) =>
    items.find((row) => row.sweepId === sweepId)!.robustAtEpsilon;
  expect(robustOf(near)).toEqual({ norm: 'linf', epsilon: 0.2, robust: 20, accuracy: 1 });
  expect(robustOf(far)).toEqual({ norm: 'linf', epsilon: 0.3, robust: 5, accuracy: 0.25 });
});
