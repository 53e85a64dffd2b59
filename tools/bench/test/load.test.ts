import { fillTables, openTestDb } from '@funnel/db/testing';
import { expect, onTestFinished, test } from 'vitest';
import { createDraw, questions, recordStatements, replay } from '../src/questions.ts';
import { percentile, timeCalls } from '../src/timing.ts';

test('a percentile is the nearest rank', () => {
  const values = [5, 1, 4, 2, 3];
  expect([0, 0.2, 0.21, 0.5, 0.8, 0.99, 1].map((p) => percentile(values, p))).toEqual([1, 1, 2, 3, 4, 5, 5]);
  expect(percentile([7], 0.99)).toBe(7);
});

test('the number of calls and of concurrent calls is limited', async () => {
  let open = 0;
  let maxOpen = 0;
  const call = async () => async () => {
    maxOpen = Math.max(maxOpen, ++open);
    await new Promise(setImmediate);
    open--;
  };
  expect(await timeCalls(call, { calls: 50, seconds: 60, clients: 3 })).toMatchObject({ calls: 50 });
  expect(maxOpen).toBe(3);
  // Without any time each client makes one call.
  expect(await timeCalls(call, { calls: 50, seconds: 0, clients: 3 })).toMatchObject({ calls: 3 });
});

test('every question has an answer in filled tables, and its statements can be run alone', async () => {
  const db = await openTestDb();
  onTestFinished(() => db.close());
  await fillTables(db.url, { sweeps: 2, trialsPerSweep: 20, epochs: 2 });
  const draw = createDraw(2, 20);
  for (const [name, question] of Object.entries(questions)) {
    let answer: unknown;
    const statements = await recordStatements(db, async (recorded) => {
      answer = await question(draw).read(recorded);
    });
    expect(statements.length, name).toBeGreaterThan(0);
    expect(answer, name).toBeTruthy();
    await replay(db, statements);
  }
});
