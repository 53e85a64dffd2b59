/** What a ranking says beside its rows: other attacks that rank another run first, runs that it does not show, and trials that are not measured. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cancelSweep, type Db } from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';
import {
  completeAttack,
  fgsm,
  fooled,
  type OutcomeOf,
  rankBy,
  runWith,
} from './support/evaluation-results.ts';
import { claim, finish } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query } from './support/tables.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());

const runAll = (outcomeOf: OutcomeOf) => runWith(db, outcomeOf);
const rank = (input: object) => rankBy(db, input);

test('other attacks that rank another run first are named, and runs without the attack counted', async () => {
  await submit(db, { seeds: [50], space: { gamma: [1, 2] }, attacks: [...fgsm] });
  await runAll(() => ({ success: fooled(3, 40) }));
  const { sweepId: sweep } = await submit(db, {
    seeds: [51],
    space: { gamma: [1, 2] },
    attacks: [{ attack: 'pgd-linf', epsilon: 0.1 }, 'deepfool-l2'],
  });
  await runAll(({ gamma, attack: name }) => ({
    success: name === 'pgd-linf' ? fooled(gamma === 1 ? 5 : 30, 40) : fooled(40, 40),
    l2: gamma,
    medianL2: gamma,
  }));
  const board = await rank({ sweep, attack: 'pgd-linf' });
  expect(board.items.map(({ hyperparameters }) => hyperparameters.gamma)).toEqual([1, 2]);
  expect(board.otherBest).toEqual([
    { attack: 'deepfool-l2', metric: 'medianL2', trialId: board.items[1]!.trialId },
  ]);
  expect(board.notShown).toBeUndefined(); // a sweep has its attacks on every trial
  const all = await rank({ attack: 'pgd-linf' });
  const [others] = await query<{ trials: number; sweeps: number }>(
    db,
    `SELECT count(*)::int AS trials, count(DISTINCT sweep_id)::int AS sweeps FROM trials WHERE status = 'completed' AND sweep_id <> $1`,
    [sweep],
  );
  expect(others!.trials).toBeGreaterThan(0);
  expect(all.notShown).toEqual(others);
  expect((await rank({ attack: 'pgd-linf', dataset: 'glyphs' })).notShown).toEqual(others);
  expect(await rank({ attack: 'pgd-linf', where: 'gamma:1' })).not.toHaveProperty('notShown');
  expect(await rank({ attack: undefined })).not.toHaveProperty('notShown');
});

test('the value of a run of another recipe is found by the attack: its recipe has other stages', async () => {
  const { sweepId: sweep } = await submit(db, {
    ...{ seeds: [951], space: { gamma: [1] }, recipes: ['funn', 'classic'] },
    attacks: [{ attack: 'pgd-linf', epsilon: 0.1 }, 'deepfool-l2'],
  });
  // Classic reads no gamma. DeepFool stands at another place among its stages than among those of funn.
  await runAll(({ gamma, attack: name }) => {
    const isFunn = gamma === 1;
    if (name === 'pgd-linf') return { success: fooled(isFunn ? 5 : 30, 40), l2: 9, medianL2: 9 };
    return { success: fooled(40, 40), l2: isFunn ? 1 : 2, medianL2: isFunn ? 1 : 2 };
  });
  for (const group of ['trial', 'configuration']) {
    const board = await rank({ sweep, attack: 'pgd-linf', group });
    expect(board.items.map(({ recipe }) => recipe)).toEqual(['funn', 'classic']);
    expect(board.otherBest).toEqual([
      { attack: 'deepfool-l2', metric: 'medianL2', trialId: board.items[1]!.trialId },
    ]);
  }
});

test('another attack does not disagree where its best run is only tied with the best run, or better by chance', async () => {
  const { sweepId: sweep } = await submit(db, {
    seeds: [61],
    space: { gamma: [1, 2, 3] },
    attacks: [
      { attack: 'pgd-linf', epsilon: 0.1 },
      { attack: 'fgsm', search: false, epsilon: 0.1 },
      { attack: 'square-linf', epsilon: 0.1 },
      'deepfool-l2',
    ],
  });
  const successes: Record<string, readonly [number, number, number]> = {
    'pgd-linf': [20, 25, 5], // γ = 3 is the best
    fgsm: [3, 3, 3], // a tie, in which γ = 1 comes first
    'square-linf': [3, 20, 5], // γ = 1 fools two images fewer: p = 0.5
    'deepfool-l2': [40, 40, 40],
  };
  await runAll(({ gamma, attack: name }) => ({
    success: fooled(successes[name]![gamma - 1]!, 40),
    l2: 4 - gamma,
    medianL2: 4 - gamma,
  }));
  const board = await rank({ sweep, attack: 'pgd-linf' });
  expect(board.items[0]!.hyperparameters.gamma).toBe(3);
  const first = `${sweep}-00000`; // γ = 1
  expect(board.otherBest).toEqual([{ attack: 'deepfool-l2', metric: 'medianL2', trialId: first }]);
  const grouped = await rank({ sweep, attack: 'pgd-linf', group: 'configuration' });
  expect(grouped.otherBest).toEqual(board.otherBest);
});

describe('a ranking in which all rows have the same value', () => {
  const attacks = [
    { attack: 'pgd-linf', epsilon: 0.1 },
    { attack: 'fgsm', search: false, epsilon: 0.1 },
    'deepfool-l2',
  ] as const;
  /** The successes of FGSM, and the median distance under DeepFool, of each γ. PGD fools every image of both. */
  const measure = async (seed: number, fgsm: readonly number[], distances: readonly number[]) => {
    const { sweepId } = await submit(db, { seeds: [seed], space: { gamma: [1, 2] }, attacks: [...attacks] });
    await runAll(({ gamma, attack: name }) => ({
      success: fooled(name === 'fgsm' ? fgsm[gamma - 1]! : 40, 40),
      ...(name === 'deepfool-l2'
        ? { l2: distances[gamma - 1]!, medianL2: distances[gamma - 1]! }
        : { l2: 0.2, medianL2: 0.1 }), // an L∞ distance of 0.1
    }));
    return sweepId;
  };

  test('names one in which their values differ, and says of no run that it is the best by another attack', async () => {
    const sweep = await measure(81, [40, 31], [1, 1]);
    for (const group of ['trial', 'configuration']) {
      const board = await rank({ sweep, attack: 'pgd-linf', group });
      expect(board.items.map(({ value }) => value)).toEqual([0, 0]);
      expect(board.tellsApart).toEqual({ attack: 'fgsm', metric: 'robustAccuracy' });
      expect(board.otherBest).toBeUndefined();
    }
    // The median L∞ of an attack at a fixed ε is ε.
    const distances = await rank({ sweep, attack: 'pgd-linf', metric: 'medianLinf' });
    expect(distances.tellsApart).toEqual({ attack: 'fgsm', metric: 'robustAccuracy' });
    expect((await rank({ sweep, attack: undefined })).tellsApart).toEqual(distances.tellsApart);
    expect((await rank({ sweep, attack: 'fgsm' })).tellsApart).toBeUndefined();
  });

  test('names the distance of an attack that looks for the smallest change', async () => {
    const sweep = await measure(82, [40, 40], [1, 2]);
    const board = await rank({ sweep, attack: 'pgd-linf' });
    expect(board.tellsApart).toEqual({ attack: 'deepfool-l2', metric: 'medianL2' });
  });

  test('names none where the rows are alike under every attack', async () => {
    const sweep = await measure(83, [9, 9], [1, 1]);
    const board = await rank({ sweep, attack: 'fgsm' });
    expect(board.items.map(({ value }) => value)).toEqual([31 / 40, 31 / 40]);
    expect(board).not.toHaveProperty('tellsApart');
  });
});

test('a sweep of which not all trials are measured says so, with its status', async () => {
  const { sweepId: sweep } = await submit(db, {
    seeds: [85],
    space: { gamma: [1, 2, 3] },
    attacks: [...fgsm],
  });
  const measured = async () => (await rank({ sweep })).missing;
  expect(await measured()).toEqual({ status: 'running', measured: 0, trials: 3 });
  for (let done = 0; done < 1; ) {
    const claimed = (await claim(db))!;
    const isAttack = claimed.spec.kind === 'attack';
    await (isAttack ? completeAttack(db, claimed, () => ({ success: fooled(3, 40) })) : finish(db, claimed));
    if (isAttack) done++;
  }
  expect(await measured()).toEqual({ status: 'running', measured: 1, trials: 3 });
  await cancelSweep(db, sweep);
  expect(await measured()).toEqual({ status: 'cancelled', measured: 1, trials: 3 });
  expect((await rank({})).missing).toBeUndefined(); // of several sweeps
  const { sweepId: whole } = await submit(db, { seeds: [86], space: { gamma: [1] }, attacks: [...fgsm] });
  await runAll(() => ({ success: fooled(3, 40) }));
  expect(await rank({ sweep: whole })).not.toHaveProperty('missing');
});
