/** What a trial says about itself before all of its attacks have ended, and about a training that was too short. */
import type { Verdict } from '@funnel/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compareTrials, completeStage, type Db, getTrial, listTrials } from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';
import { leaseOf } from './support/attempts.ts';
import { claim, drain, evaluationOf, finish } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());

const attacks: ('fgsm' | 'pgd-linf')[] = ['fgsm', 'pgd-linf'];

/** Runs the stages of the only trial of a new sweep. Resolves to its verdict after each attack. */
const verdictsAfter = async (seed: number, verdicts: readonly Verdict[]): Promise<(string | null)[]> => {
  const { sweepId } = await submit(db, { seeds: [seed], attacks });
  const [shown, left] = [[] as (string | null)[], [...verdicts]];
  for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
    if (claimed.spec.kind !== 'attack') {
      await finish(db, claimed);
      continue;
    }
    const evaluation = evaluationOf(claimed, [true, false], { verdict: left.shift()! });
    await completeStage(db, { ...leaseOf(claimed), evaluation });
    const { items } = await listTrials(db, { sweepId, limit: 10 });
    const { verdict } = await getTrial(db, `${sweepId}-00000`);
    expect(items[0]!.verdict).toBe(verdict);
    shown.push(verdict);
  }
  return shown;
};

test('a trial is ok only once all of its attacks have ended, and a worse verdict stands at once', async () => {
  expect(await verdictsAfter(1, ['ok', 'ok'])).toEqual([null, 'ok']);
  expect(await verdictsAfter(2, ['masked', 'ok'])).toEqual(['masked', 'masked']);
});

test('a trial whose training ended during the warm-up of its ε says so', async () => {
  const { sweepId } = await submit(db, {
    recipes: ['funn', 'adversarial-training'],
    space: { trainingEpsilon: 0.1, classifierEpochs: 3 },
  });
  const ids = [`${sweepId}-00000`, `${sweepId}-00001`];
  const warnings = async () => (await compareTrials(db, ids)).trials.map((trial) => trial.warnings);
  expect(await warnings()).toEqual([[], []]); // not trained yet
  await drain(db);
  expect(await warnings()).toEqual([
    [],
    [
      'It trained at ε up to 0.03, not at `trainingEpsilon` 0.1: `warmupEpochs` (10) is more than its 3 epochs.',
    ],
  ]);
});
