import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { createTestDatabase } from '../src/testing/index.ts';

const schemaFile = fileURLToPath(new URL('../../../prisma/schema.prisma', import.meta.url));

/** The SQL that turns an empty database into the tables of schema.prisma, from Prisma's own schema engine as WebAssembly. */
const sqlOfSchema = async (url: string): Promise<string> => {
  const engine = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const bindings = await import(engine);
  const wasm = await WebAssembly.compile(await readFile(engine.replace(/\.js$/, '.wasm')));
  const { exports } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(exports);
  (exports.__wbindgen_start as () => void)();
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPg({ connectionString: url }));
  const schema = await bindings.SchemaEngine.new({ datamodels: undefined }, () => {}, adapter);
  const files = [{ path: 'schema.prisma', content: await readFile(schemaFile, 'utf8') }];
  const { stdout } = await schema.diff({
    from: { tag: 'empty' },
    to: { tag: 'schemaDatamodel', files },
    script: true,
    exitCode: null,
    filters: { externalTables: [], externalEnums: [] },
    shadowDatabaseUrl: null,
  });
  return stdout.replace('CREATE SCHEMA IF NOT EXISTS "public";', '');
};

/** Columns in their order. Uses `rank`, because a dropped column leaves a gap in the numbers. */
const columns = `
  SELECT table_name, column_name, rank() OVER (PARTITION BY table_name ORDER BY ordinal_position) AS place, udt_name, is_nullable, column_default
  FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_prisma_migrations' ORDER BY 1, 3`;

/** Without CHECKs, and below without partial indexes: Prisma cannot express them, so only the migrations have them. */
const constraints = `
  SELECT conrelid::regclass::text AS table, conname, contype, pg_get_constraintdef(oid) AS definition
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'f', 'u') AND conrelid::regclass::text <> '_prisma_migrations'
  ORDER BY 1, 2`;

const indexes = `
  SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public' AND tablename <> '_prisma_migrations' ORDER BY 1, 2`;

const read = async (url: string, sql: string[], first?: string) => {
  const client = new pg.Client(url);
  await client.connect();
  try {
    if (first) await client.query(first);
    const results = [];
    for (const statement of sql) results.push((await client.query(statement)).rows);
    return results;
  } finally {
    await client.end();
  }
};

test('schema.prisma and the migrations make the same tables', async () => {
  const [declared, migrated] = await Promise.all([
    createTestDatabase({ migrated: false }),
    createTestDatabase(),
  ]);
  onTestFinished(async () => {
    await Promise.all([declared.drop(), migrated.drop()]);
  });
  const sql = await sqlOfSchema(declared.url);
  const [wantedColumns, wantedConstraints, wantedIndexes] = await read(
    declared.url,
    [columns, constraints, indexes],
    sql,
  );
  const [madeColumns, madeConstraints, madeIndexes] = await read(migrated.url, [
    columns,
    constraints,
    indexes,
  ]);
  expect(wantedColumns!.length).toBeGreaterThan(100);
  expect(madeColumns).toEqual(wantedColumns);
  expect(madeConstraints).toEqual(wantedConstraints);
  expect(madeIndexes).toEqual(expect.arrayContaining(wantedIndexes!));
});
