/** The robust accuracy at ε of attacks that look for the smallest change. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { completeStage, type Db, getTrial, listTrials } from '../src/index.ts';
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
});
