/** A trial and its rows of the leaderboard say how many of its images only attacks without gradients fool. */
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
  // The ranking by any attack says so, and sums up the seeds of a configuration.
  const square = { attacks: ['square-linf'], norm: 'linf', epsilon: 0.3 };
  const missedIn = async (ranking: object) =>
    (await rankBy(db, { sweep, ...ranking })).items.map((row) => [row.seeds, row.missedByGradients] as const);
  for (const attack of [undefined, 'apgd-ce-linf', 'deepfool-linf']) {
    const rows = await missedIn({ attack, group: 'trial' });
    expect(rows.sort(([[a]], [[b]]) => a! - b!)).toEqual([
      [[1], [{ ...square, missed: 7, images: 40 }]],
      [[2], [{ ...square, missed: 10, images: 40 }]],
    ]);
    expect(await missedIn({ attack, group: 'configuration' })).toEqual([
      [[1, 2], [{ ...square, missed: 17, images: 80 }]],
    ]);
  }
});

test('one image is no sign, and neither are images that only a gradient attack fools', async () => {
  const { sweepId: sweep } = await submit(db, {
    space: { gamma: [2] },
    attacks: [
      { attack: 'apgd-ce-linf', epsilon: 0.3 },
      { attack: 'square-linf', epsilon: 0.3 },
    ],
  });
  await runWith(db, ({ attack }) =>
    attack === 'square-linf'
      ? { success: fooled(11, 40, 10), l2: 0.6 }
      : { success: fooled(20, 40), l2: 0.6 },
  );
  const { items } = await rankBy(db, { sweep, attack: undefined });
  expect(items.map(({ missedByGradients, counts }) => [missedByGradients, counts.fooled])).toEqual([
    [undefined, 21],
  ]);
  expect((await getTrial(db, items[0]!.trialId)).warnings).toEqual([]);
});
