/** A trial says how many of its images only attacks without gradients fool. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Db, getTrial } from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';
import { fooled, rankBy, runWith } from './support/evaluation-results.ts';
import { submit } from './support/submit.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());

test('images that only Square fools are a warning about gradients', async () => {
  const { sweepId: sweep } = await submit(db, {
    seeds: [1, 2],
    space: { gamma: [1] },
    attacks: [
      { attack: 'apgd-ce-linf', epsilon: 0.3 },
      { attack: 'square-linf', epsilon: 0.3 },
      { attack: 'deepfool-linf' },
    ],
  });
  // Square fools the images 10 to 29, APGD 0 to 19. DeepFool finds 20 to 22, but for the second seed outside of the ball.
  await runWith(db, ({ attack, seed }) => {
    if (attack === 'square-linf') return { success: fooled(20, 40, 10), l2: 0.6 };
    if (attack === 'apgd-ce-linf') return { success: fooled(20, 40), l2: 0.6 };
    return { success: fooled(3, 40, 20), l2: seed === 1 ? 0.6 : 0.8 };
  });
  const { items } = await rankBy(db, { sweep, attack: 'square-linf' });
  const warnings = await Promise.all(
    [1, 2].map(
      async (seed) => (await getTrial(db, items.find(({ seeds }) => seeds[0] === seed)!.trialId)).warnings,
    ),
  );
  expect(warnings.map((all) => all.map((text) => text.split(' that ')[0]))).toEqual([
    ['square-linf fools 7 of 40 images at L∞ 0.3'],
    ['square-linf fools 10 of 40 images at L∞ 0.3'],
  ]);
});
