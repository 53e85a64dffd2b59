/** One database for all tests of a file. Each test starts with no unfinished stages, and with a seed that no earlier test has used. */
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Db } from '../../src/index.ts';
import { openTestDb } from '../../src/testing/index.ts';
import { drain } from './simulated-trainer.ts';
import { query } from './tables.ts';

export let db: Db;
export let seed = 0;

/** Called once, at the top of a file. */
export const shareDb = (): void => {
  beforeAll(async () => {
    db = await openTestDb({ max: 25 });
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    seed += 1;
    await query(db, 'UPDATE stages SET ready_at = now()');
    await drain(db);
  });
};
