/** A process of this version on a database that another version has migrated. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  claimStage,
  completeStage,
  type Db,
  endStage,
  failAttempt,
  heartbeat,
  listWorkers,
  pingSchema,
  reconcile,
  recordCheckpoint,
  registerWorker,
  releaseStage,
  takeDueSearch,
} from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';
import { leaseOf, letExpire, options, stageRow } from './support/attempts.ts';
import { decide, searching, submitSearch } from './support/search.ts';
import { submit } from './support/submit.ts';
import { query, takeOutbox } from './support/tables.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());

/** Pretends until the end of the test that a newer version has migrated the database. */
const migrateByNewer = async (sql = ''): Promise<void> => {
  await query(
    db,
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('x', 'x', '9999_to_come', now()); ${sql}`,
  );
};
const back = (sql = ''): void =>
  onTestFinished(
    async () =>
      void (await query(db, `DELETE FROM _prisma_migrations WHERE migration_name = '9999_to_come'; ${sql}`)),
  );

const mismatch = {
  code: 'SCHEMA_MISMATCH',
  message: expect.stringContaining('it has 9999_to_come: a newer version of Funnel has migrated it'),
};
const request = { workerId: 'worker', leaseSeconds: 60 };

test('claims nothing, keeps no lease, writes no result and repairs nothing, but can release its stages', async () => {
  await submit(db);
  const claimed = (await claimStage(db, request))!;
  const lease = leaseOf(claimed);
  const before = await stageRow(db, claimed.stageId);
  const sweep = searching({ seeds: [1] });
  const sweepId = await submitSearch(db, sweep);
  await migrateByNewer();
  back();
  const manifest = {} as never; // never read, because the write is refused
  const beat = { ...lease, position: null, imagesPerSecond: null };
  const refused: readonly (() => Promise<unknown>)[] = [
    () => claimStage(db, request),
    () => takeDueSearch(db),
    () => decide(db, sweepId, sweep, { number: 1, gamma: 7 }),
    () => heartbeat(db, { workerId: 'worker', leases: [], memoryBytes: 1, leaseSeconds: 60 }),
    () => heartbeat(db, { workerId: 'worker', leases: [beat], memoryBytes: 1, leaseSeconds: 600 }),
    () => recordCheckpoint(db, { ...lease, manifest, blobs: new Map(), metrics: null }),
    () => completeStage(db, lease),
    () => endStage(db, { ...lease, status: 'diverged', message: 'no number' }),
    () => failAttempt(db, { ...lease, code: 'INTERNAL', message: 'no', maxAttempts: 1 }),
    () => pingSchema(db),
  ];
  for (const operation of refused) await expect(operation()).rejects.toMatchObject(mismatch);
  expect(await stageRow(db, claimed.stageId)).toEqual(before);
  await letExpire(db, claimed.stageId);
  await expect(reconcile(db, options)).rejects.toMatchObject(mismatch);
  expect(await stageRow(db, claimed.stageId)).toMatchObject({ status: 'running', expiries: 0 });

  await takeOutbox(db);
  await releaseStage(db, lease);
  expect(await takeOutbox(db)).toEqual([claimed.stageId]);
  expect(await stageRow(db, claimed.stageId)).toMatchObject({ status: 'ready', failures: 0, expiries: 0 });
});

test('continues the same attempts when the database has the schema of this version again', async () => {
  await submit(db, { seeds: [7] });
  const claimed = (await claimStage(db, request))!;
  await migrateByNewer();
  await expect(claimStage(db, request)).rejects.toMatchObject(mismatch);
  await query(db, "DELETE FROM _prisma_migrations WHERE migration_name = '9999_to_come'");
  const beat = { ...leaseOf(claimed), position: null, imagesPerSecond: null };
  expect(
    await heartbeat(db, { workerId: 'worker', leases: [beat], memoryBytes: 1, leaseSeconds: 60 }),
  ).toMatchObject({ lost: [], stop: [] });
});

test('does not count a migration that has only begun or was rolled back', async () => {
  await query(
    db,
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, rolled_back_at) VALUES ('y', 'y', '9998_begun', NULL, NULL), ('z', 'z', '9999_back', now(), now())`,
  );
  await pingSchema(db);
  await query(db, "DELETE FROM _prisma_migrations WHERE id IN ('y', 'z')");
});

test('a statement that the tables refuse is SCHEMA_MISMATCH; under the right schema its own error stays', async () => {
  const row = { id: 'w', host: 'h', pid: 1, version: '1.2.3', backend: 'b', device: 'd', slots: 1 };
  await registerWorker(db, row);
  expect(await listWorkers(db)).toMatchObject([
    { version: '1.2.3', schema: expect.stringMatching(/^\d{4}_/) },
  ]);
  await query(db, 'ALTER TABLE workers RENAME COLUMN device TO device_to_come');
  back('ALTER TABLE workers RENAME COLUMN device_to_come TO device');
  await expect(registerWorker(db, row)).rejects.toMatchObject({ code: '42703' });
  await migrateByNewer();
  await expect(registerWorker(db, row)).rejects.toMatchObject({ ...mismatch, cause: { code: '42703' } });
});

test('lists a worker of an older version with the version that it stored', async () => {
  await query(
    db,
    `INSERT INTO workers (id, host, pid, version, backend, device, slots) VALUES ('old', 'h', 1, '1', 'b', 'd', 1)`,
  );
  expect((await listWorkers(db)).find(({ id }) => id === 'old')).toMatchObject({
    version: '1',
    schema: null,
  });
});
