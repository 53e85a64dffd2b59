import { fillTables, openTestDb } from '@funnel/db/testing';
import { expect, onTestFinished, test } from 'vitest';
import { createDraw, questions, recordStatements, replay } from '../src/questions.ts';
import { percentile, timeCalls } from '../src/timing.ts';

test('a percentile is the nearest rank', () => {
  const values = [5, 1, 4, 2, 3];
  expect([0, 0.2, 0.21, 0.5, 0.8, 0.99, 1].map((p) => percentile(values, p))).toEqual([1, 1, 2, 3, 4, 5, 5]);
  expect(percentile([7], 0.99)).toBe(7);
});

test('calls are bounded in number and in clients', async () => {
  let open = 0;
  let most = 0;
  const call = async () => async () => {
    most = Math.max(most, ++open);
    await new Promise(setImmediate);
    open--;
  };
  expect(await timeCalls(call, { calls: 50, seconds: 60, clients: 3 })).toMatchObject({ calls: 50 });
  expect(most).toBe(3);
  // Out of time from the beginning: one call of each client.
  expect(await timeCalls(call, { calls: 50, seconds: 0, clients: 3 })).toMatchObject({ calls: 3 });
});

test('every question has an answer in filled tables, and the same statements can be run by themselves', async () => {
  const db = await openTestDb();
  onTestFinished(() => db.close());
  await fillTables(db.url, { sweeps: 2, trialsPerSweep: 20, epochs: 2 });
  const draw = createDraw(2, 20);
  for (const [name, question] of Object.entries(questions)) {
    let answer: unknown;
    const statements = await recordStatements(db, async (listened) => {
      answer = await question(draw).read(listened);
    });
    expect(statements.length, name).toBeGreaterThan(0);
    expect(answer, name).toBeTruthy();
    await replay(db, statements);
  }
});
