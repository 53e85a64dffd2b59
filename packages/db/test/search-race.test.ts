/** Decisions, attempts and operations on the sweep at the same time: nothing deadlocks, and the rows agree afterwards. */
import { expect, onTestFinished, test } from 'vitest';
import { createDb, type Db, endSearch, pauseSweep, readSearch, resumeSweep } from '../src/index.ts';
import { createRandom } from './support/random.ts';
import { decide, searching, submitSearch } from './support/search.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, finish } from './support/simulated-trainer.ts';
import { query, sweepStatus, trialStatuses, wrongAverages, wrongCounts } from './support/tables.ts';

shareDb();

const open = (name: string): Db => {
  const other = createDb(db.url, { name });
  onTestFinished(() => other.close());
  return other;
};

const decisions = 24;

test('two processes decide in any order while workers finish stages and the sweep is paused and resumed', async () => {
  const sweep = searching({ seeds: [seed, seed + 1000] });
  const sweepId = await submitSearch(db, sweep, { configurations: decisions });
  let isDone = false;
  const numbers = Array.from({ length: decisions - 1 }, (_, i) => i + 1);

  /** Decides until every number is taken. While the sweep is paused, the search is closed. */
  const propose = async (process: Db, random: () => number): Promise<void> => {
    const left = [...numbers].sort(() => random() - 0.5);
    for (let number = left.shift(); number !== undefined; number = left.shift()) {
      const made = await decide(process, sweepId, sweep, { number, gamma: number }).catch((error) => {
        if (error.details?.isBusy) return 'closed';
        throw error;
      });
      if (made === 'closed') left.push(number);
    }
  };
  const train = async (process: Db, worker: string): Promise<void> => {
    while (!isDone) {
      const claimed = await claim(process, worker);
      if (claimed) await finish(process, claimed).catch(() => {}); // the pause may have taken the stage away
    }
  };
  const steer = async (process: Db): Promise<void> => {
    for (let times = 0; times < 3; times++) {
      await pauseSweep(process, sweepId);
      await resumeSweep(process, sweepId);
    }
  };

  const workers = ['one', 'two'].map((name) => train(open(name), name));
  await Promise.all([
    propose(open('first'), createRandom(1)),
    propose(open('second'), createRandom(2)),
    steer(open('user')),
  ]);
  await endSearch(db, sweepId, 'trials');
  await expect.poll(() => sweepStatus(db, sweepId), { timeout: 120_000, interval: 100 }).toBe('completed');
  isDone = true;
  await Promise.all(workers);

  const record = await readSearch(db, sweepId);
  expect(record.decisions.map(({ number, point, trials }) => [number, point, trials.length])).toEqual(
    Array.from({ length: decisions }, (_, number) => [number, { gamma: number || 5 }, 2]),
  );
  expect(new Set(await trialStatuses(db, sweepId))).toEqual(new Set(['completed']));
  const misplaced = await query(
    db,
    `SELECT l.ordinal, t.number FROM sweep_stages l JOIN trial_stages ts USING (stage_id) JOIN trials t ON t.id = ts.trial_id
     WHERE l.sweep_id = $1 AND l.ordinal / 8 > t.configuration_index AND ts.ordinal > 0`,
    [sweepId],
  );
  expect(misplaced).toEqual([]);
  expect(await wrongCounts(db)).toEqual([]);
  expect(await wrongAverages(db)).toEqual([]);
});
