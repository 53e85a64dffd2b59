/** The query that KEDA runs, on the real tables. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Db } from '../../packages/db/src/index.ts';
import { openTestDb } from '../../packages/db/src/testing/index.ts';
import { claim, finish } from '../../packages/db/test/support/simulated-trainer.ts';
import { submit } from '../../packages/db/test/support/submit.ts';

const manifest = new URL('../k8s/components/autoscaling/scaled-object.yaml', import.meta.url);
const [scaled] = parseAllDocuments(readFileSync(manifest, 'utf8')).map((document) => document.toJS());
const { query } = scaled.spec.triggers[0].metadata;

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());

const wanted = async (): Promise<number> => {
  const { rows, fields } = await db.pool.query({ text: query, rowMode: 'array' });
  // KEDA reads one number from one row.
  expect([rows.length, fields.length]).toEqual([1, 1]);
  return rows[0]![0];
};

it('counts the stages that a worker runs or could claim', async () => {
  expect(await wanted()).toBe(0);
  await submit(db, { space: { gamma: [1, 2, 3] } });
  // One initialisation is ready; the stages that depend on it wait.
  expect(await wanted()).toBe(1);
  const initialise = (await claim(db))!;
  expect(await wanted()).toBe(1);
  await finish(db, initialise);
  expect(await wanted()).toBe(3);
  const optimise = (await claim(db))!;
  expect(await wanted()).toBe(3);
  await finish(db, optimise);
  // Now the classify stage that follows this optimise stage is ready.
  expect(await wanted()).toBe(3);
});
