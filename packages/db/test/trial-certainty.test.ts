/** How sure the distances of a trial are, and which compared trials their worst cases tell apart. */
import { routes } from '@funnel/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compareTrials, completeStage, type Db, getTrial, listTrials } from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';
import { leaseOf } from './support/attempts.ts';
import { claim, evaluationOf, finish } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query } from './support/tables.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());

/** Runs every stage. `fooled`: of each attack, how many of 4 images, by γ. */
const runAll = async (fooled: Readonly<Record<string, number>>): Promise<void> => {
  for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
    if (claimed.spec.kind !== 'attack') {
      await finish(db, claimed);
      continue;
    }
    const [trial] = await query<{ gamma: string }>(
      db,
      `SELECT t.hyperparameters ->> 'gamma' AS gamma FROM trials t JOIN trial_stages ts ON ts.trial_id = t.id WHERE ts.stage_id = $1`,
      [claimed.stageId],
    );
    const count = fooled[`${trial!.gamma} ${claimed.spec.attack!.attack}`]!;
    const success = Array.from({ length: 4 }, (_, i) => i < count);
    const medianL2 = count > 2 ? 0.5 : 'Infinity';
    await completeStage(db, {
      ...leaseOf(claimed),
      evaluation: evaluationOf(claimed, success, { medianL2 }),
    });
  }
};

test('a trial has the intervals of its medians, and trials that cannot be told apart share a letter', async () => {
  const { sweepId } = await submit(db, {
    space: { gamma: [1, 2, 3] },
    attacks: [
      { attack: 'pgd-linf', epsilon: 0.3 },
      { attack: 'square-linf', epsilon: 0.3 },
    ],
  });
  await runAll({
    ...{ '1 pgd-linf': 4, '1 square-linf': 1 },
    ...{ '2 pgd-linf': 1, '2 square-linf': 0 },
    ...{ '3 pgd-linf': 0, '3 square-linf': 1 },
  });
  const { items } = await listTrials(db, { sweepId, limit: 10 });
  const first = await getTrial(db, items[0]!.id);
  expect(routes.getTrial.response.safeParse(first).success).toBe(true);
  // Of 20 images, the ends stand at ranks 6 and 15. PGD fools all of them, Square every fourth.
  expect(first.evaluations.map(({ intervals }) => intervals)).toEqual([
    { medianL2: [0.5, 0.5], medianLinf: [0.25, 0.5], noiseLevel: [0.5, 0.5] },
    { medianL2: ['Infinity', 'Infinity'], medianLinf: ['Infinity', 'Infinity'], noiseLevel: [0.5, 0.5] },
  ]);
  // No attack works in L2.
  expect(first.worstCase!.values).toMatchObject({ robustAccuracy: 0, medianL2: null, medianLinf: 0.25 });
  expect(first.worstCase!.intervals).toMatchObject({ medianL2: null, medianLinf: [0.25, 0.25] });
  // A list has the intervals that it was asked for, and no others.
  const asked = await listTrials(db, { sweepId, limit: 1, intervals: ['medianLinf'] });
  expect(routes.listTrials.response.safeParse(asked).success).toBe(true);
  expect(asked.items[0]!.evaluations.map(({ intervals }) => intervals)).toEqual([
    { medianLinf: [0.25, 0.5] },
    { medianLinf: ['Infinity', 'Infinity'] },
  ]);
  expect(asked.items[0]!.worstCase!.intervals).toEqual({ medianLinf: [0.25, 0.25] });
  const both = await listTrials(db, { sweepId, limit: 1, intervals: ['medianLinf', 'noiseLevel'] });
  expect(both.items[0]!.evaluations.map(({ intervals }) => intervals)).toEqual([
    { medianLinf: [0.25, 0.5], noiseLevel: [0.5, 0.5] },
    { medianLinf: ['Infinity', 'Infinity'], noiseLevel: [0.5, 0.5] },
  ]);
  expect(items[0]!.evaluations.map(({ intervals }) => intervals)).toEqual([undefined, undefined]);
  const compared = await compareTrials(
    db,
    items.map(({ id }) => id),
  );
  expect(routes.compare.response.safeParse(compared).success).toBe(true);
  expect(compared.trials.map(({ worstCase }) => worstCase!.values.robustAccuracy)).toEqual([0, 0.75, 0.75]);
  expect(compared.letters).toEqual(['a', 'b', 'b']);
});

test('an attack has the interval of its own distances beside a worst case that it decides', async () => {
  const { sweepId } = await submit(db, {
    seeds: [8],
    space: { gamma: [1] },
    attacks: [{ attack: 'fgsm', search: false, epsilon: 0.1 }, { attack: 'deepfool-l2' }],
  });
  for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
    const attack = claimed.spec.attack?.attack;
    if (attack === undefined) {
      await finish(db, claimed);
      continue;
    }
    // FGSM fools 12 of 20 images at L∞ 0.1, DeepFool all of them at L∞ 0.3.
    const [outcomes, l2] = attack === 'fgsm' ? [[true, true, true, false, false], 0.2] : [[true], 0.6];
    const evaluation = evaluationOf(claimed, outcomes as boolean[], { l2: l2 as number, medianL2: 0.1 });
    await completeStage(db, { ...leaseOf(claimed), evaluation });
  }
  const { items } = await listTrials(db, { sweepId, limit: 10 });
  const { evaluations, worstCase } = await getTrial(db, items[0]!.id);
  // Of 20 images, the ends stand at ranks 6 and 15: FGSM fools no 15th image.
  expect(evaluations.map(({ attack, intervals }) => [attack, intervals!.medianLinf])).toEqual([
    ['fgsm', [0.1, 'Infinity']],
    ['deepfool-l2', [0.1, 0.3]],
  ]);
  expect(worstCase!.intervals!.medianLinf).toEqual([0.1, 0.3]);
});

test('trials without a worst case have no letters', async () => {
  const { sweepId } = await submit(db, { seeds: [7], space: { gamma: [1, 2] } });
  const { items } = await listTrials(db, { sweepId, limit: 10 });
  const { letters } = await compareTrials(
    db,
    items.map(({ id }) => id),
  );
  expect(letters).toEqual([null, null]);
});
