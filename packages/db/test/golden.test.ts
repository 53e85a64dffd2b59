/**
 * Databases of every released schema, migrated to this version. They give the same answers as before, and their running sweeps continue.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkSchema, createDb, type Db, reconcile } from '../src/index.ts';
import { migrate, readMigrations } from '../src/migrate.ts';
import { createTestDatabase } from '../src/testing/index.ts';
import { answersOf } from './golden/answers.ts';
import { drain } from './support/simulated-trainer.ts';
import { query, sweepStatus, trained, wrongCounts } from './support/tables.ts';

const folder = fileURLToPath(new URL('./golden', import.meta.url));
const schemas = readdirSync(folder)
  .filter((name) => name.endsWith('.sql'))
  .map((name) => name.slice(0, -'.sql'.length))
  .sort();
/** Fields that have been renamed. The test compares old answers under the new names. */
const renamed = new Map([
  ['leaseEpoch', 'fencingToken'],
  ['after', 'dependsOn'],
]);
const withNewNames = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withNewNames);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [renamed.get(name) ?? name, withNewNames(member)]),
  );
};

/**
 * Attacks without a fixed ε have lost their robust accuracy, and rows without a value their rank. No attack of a golden database has a fixed
 * ε.
 */
const withoutRobustAccuracy = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutRobustAccuracy);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === 'robustAccuracy' || name === 'robustInterval' ? null : withoutRobustAccuracy(member),
    ]),
  );
  const isRow = 'rank' in members && members.metric === 'robustAccuracy';
  return isRow ? { ...members, rank: null, value: null, halfWidth: null } : members;
};

/**
 * The attacks of a golden database had four images, so its trials have the verdict `too-few`, and rank below like the masked ones: rows have other
 * ranks, and another order.
 */
const withNewVerdicts = (value: unknown): unknown => {
  if (Array.isArray(value)) {
    const items = value.map(withNewVerdicts);
    return items.some(isRow) ? byTrial(items) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, withNewVerdicts(member)]),
  );
  const isTrial = 'evaluations' in members || isRow(members);
  const verdict = members.verdict === 'masked' || members.verdict === null ? members.verdict : 'too-few';
  return {
    ...members,
    ...(isTrial && { verdict }),
    ...(isRow(members) && { rank: null, reasons: [] }),
  };
};
const isRow = (value: unknown): boolean => typeof value === 'object' && value !== null && 'rank' in value;
const byTrial = (rows: readonly unknown[]): readonly unknown[] =>
  [...rows].sort((a, b) =>
    (a as { trialId: string }).trialId < (b as { trialId: string }).trialId ? -1 : 1,
  );

const read = (name: string): string => readFileSync(`${folder}/${name}`, 'utf8');

/** A database that is filled from the dump, and dropped after the test. */
const restore = async (schema: string): Promise<string> => {
  const database = await createTestDatabase({ migrated: false });
  onTestFinished(() => database.drop());
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query(read(`${schema}.sql`));
  } finally {
    await client.end();
  }
  return database.url;
};

const open = (url: string): Db => {
  const db = createDb(url);
  onTestFinished(() => db.close());
  return db;
};

test('the first released schema has a golden database', () => expect(schemas).toContain('0001_init'));

describe.each(schemas)('a database of schema %s', (schema) => {
  test('is migrated by two processes at once, which apply each migration once', async () => {
    const url = await restore(schema);
    const newer = (await readMigrations()).map(({ name }) => name).filter((name) => name > schema);
    if (newer.length > 0)
      await expect(checkSchema(url)).rejects.toMatchObject({
        code: 'SCHEMA_MISMATCH',
        message: expect.stringContaining(`${newer[0]} has not been applied`),
      });
    const applied = await Promise.all([migrate(url), migrate(url)]);
    expect(applied.flat()).toEqual(newer);
    expect(await migrate(url)).toEqual([]);
    await checkSchema(url);
  });

  test('gives the same answers as before, and its running sweep completes', async () => {
    const url = await restore(schema);
    await migrate(url);
    const db = open(url);
    expect(withNewVerdicts(await answersOf(db))).toMatchObject(
      withNewVerdicts(withoutRobustAccuracy(withNewNames(JSON.parse(read(`${schema}.json`))))) as object,
    );

    // The attempt that never ended loses its lease; the sweep continues from its checkpoint.
    await query(db, `UPDATE stages SET lease_until = now() - interval '1 minute' WHERE status = 'running'`);
    await query(db, `INSERT INTO duties (name, at) VALUES ('reconcile', now() - interval '2 seconds')`);
    expect((await reconcile(db, { maxAttempts: 3, leaseSeconds: 15 })).expired).toHaveLength(1);
    await drain(db);
    const sweeps = await query<{ id: string; needed: number }>(
      db,
      `SELECT id, (plan #>> '{epochs,needed}')::int AS needed FROM sweeps`,
    );
    for (const { id, needed } of sweeps)
      expect([await sweepStatus(db, id), await trained(db, id)]).toEqual(['completed', needed]);
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('is refused without changes when it has a migration of a newer version', async () => {
    const url = await restore(schema);
    const db = open(url);
    await query(
      db,
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('x', 'x', '9999_to_come', now())`,
    );
    await expect(migrate(url)).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
    await expect(checkSchema(url)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(/a newer version of Funnel made it/),
    });
    expect(await query(db, 'SELECT count(*) AS n FROM _prisma_migrations')).toEqual([
      { n: (await readMigrations()).filter(({ name }) => name <= schema).length + 1 },
    ]);
  });
});
