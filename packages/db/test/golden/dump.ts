/** A database as SQL text that `psql` or any driver can run: its migrations as they were, then every row. */
import type pg from 'pg';
import { readMigrations } from '../../src/migrate.ts';

/** Tables in the order of their creation, but a table to which others refer comes first. */
const tables = `
  SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
  GROUP BY c.oid, c.relname ORDER BY c.relname <> 'blobs', c.oid`;

const sequences = `
  SELECT s.relname AS name, t.relname AS table, a.attname AS column
  FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_class t ON t.oid = d.refobjid
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
  WHERE t.relnamespace = 'public'::regnamespace ORDER BY 1`;

/** The migrator creates the ledger of migrations; no migration does. */
const ledger = `CREATE TABLE _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ, migration_name VARCHAR(255) NOT NULL,
  logs TEXT, rolled_back_at TIMESTAMPTZ, started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0
);`;

const rowsOf = async (client: pg.Client, name: string, columns: readonly string[]): Promise<string> => {
  const values = columns.map((column) => `quote_nullable("${column}"::text)`).join(` || ', ' || `);
  const { rows } = await client.query<{ row: string }>(`SELECT ${values} AS row FROM "${name}" ORDER BY 1`);
  if (rows.length === 0) return '';
  const list = columns.map((column) => `"${column}"`).join(', ');
  return `INSERT INTO "${name}" (${list}) VALUES\n${rows.map(({ row }) => `(${row})`).join(',\n')};\n`;
};

export const dumpDatabase = async (client: pg.Client): Promise<string> => {
  await client.query("SET timezone = 'UTC'");
  const migrations = await readMigrations();
  const parts = [...migrations.map(({ name, sql }) => `-- Migration ${name}\n${sql}`), ledger];
  for (const { name, columns } of (await client.query<{ name: string; columns: string[] }>(tables)).rows)
    parts.push(await rowsOf(client, name, columns));
  for (const { name, table, column } of (await client.query(sequences)).rows)
    parts.push(
      `SELECT setval('"${name}"', (SELECT coalesce(max("${column}"), 0) + 1 FROM "${table}"), false);`,
    );
  return `${parts.filter((part) => part !== '').join('\n')}\n`;
};
