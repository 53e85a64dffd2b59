/** The parts of the unfinished work of several sweeps, by the sweeps that share them. */
import { expect, test } from 'vitest';
import { reading } from '../src/connection/transaction.ts';
import { readPortions } from '../src/reads/shared-work.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, finish } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';

shareDb();

test('names each set of sweeps that share work, with its epochs and attacks', async () => {
  const of = async (name: string, gamma: number[], ownSeed = seed) =>
    (await submit(db, { name, seeds: [ownSeed], recipes: ['funn'], space: { gamma } })).sweepId;
  const a = await of('a', [1, 2]);
  const b = await of('b', [2, 3]);
  const c = await of('c', [2]);
  const apart = await of('apart', [1], seed + 1);
  const stranger = await of('not asked about', [1]);
  const read = async () => {
    const portions = await readPortions(reading(db), [a, b, c, apart]);
    return Object.fromEntries(
      [...portions].map(([id, found]) => [
        id,
        found.map(({ partners, ...work }) => ({ partners: [...partners].sort(), ...work })),
      ]),
    );
  };
  const both = (own: string) => [a, b, c].filter((id) => id !== own).sort();
  // 2 epochs initialise all of them. Then each γ has 3 epochs against each other, 1 of its classifier, and an attack.
  const alone = { partners: [], epochs: 4, attacks: 1 };
  const common = { epochs: 6, attacks: 1 };
  const found = await read();
  expect(found[a]).toHaveLength(2);
  expect(found[a]).toEqual(expect.arrayContaining([alone, { partners: both(a), ...common }]));
  expect(found[b]).toEqual(expect.arrayContaining([alone, { partners: both(b), ...common }]));
  expect(found[c]).toEqual([{ partners: both(c), ...common }]);
  expect(found[apart]).toEqual([{ partners: [], epochs: 6, attacks: 1 }]);
  expect(found[stranger]).toBeUndefined();

  await finish(db, (await claim(db))!); // the 2 epochs of the start
  const later = await read();
  expect(later[c]).toEqual([{ partners: both(c), epochs: 4, attacks: 1 }]);
});
