/** The picture in docs/tables.md shows all tables, with their real columns, keys and links. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Db } from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';
import { query } from './support/tables.ts';

const document = readFileSync(new URL('../../../docs/tables.md', import.meta.url), 'utf8');
const [, picture = '', prose = ''] = /```mermaid\n(.*?)```(.*)/s.exec(document) ?? [];

/** `table column type` of every column in the picture, with `PK` after a column of the primary key. */
const drawnColumns = [...picture.matchAll(/^ {2}(\w+) \{\n(.*?)^ {2}\}/gms)].flatMap(([, table, body]) =>
  body!
    .trim()
    .split('\n')
    .map((line) => {
      const [type, column, key] = line.trim().split(' ');
      return `${table} ${column} ${type}${key === 'PK' ? ' PK' : ''}`;
    }),
);
const drawnTables = [...new Set(drawnColumns.map((column) => column.split(' ')[0]!))];

/** `one many`, sorted, of the links that are drawn with this line. */
const drawnLinks = (line: '--' | '..') =>
  [...picture.matchAll(/^ {2}(\w+) [|}][|o](--|\.\.)[o|][|{] (\w+) : /gm)]
    .filter(([, , drawn]) => drawn === line)
    .map(([, one, , many]) => `${one} ${many}`)
    .sort();

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());

const textsOf = async (sql: string) => (await query<{ text: string }>(db, sql)).map((row) => row.text);

describe('docs/tables.md', () => {
  test('draws every table, and has a sentence about its rows', async () => {
    const tables = await textsOf(
      `SELECT table_name AS text FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
    );
    expect([...drawnTables].sort()).toEqual(tables);
    expect([...prose.matchAll(/^\| `(\w+)` \|/gm)].map(([, table]) => table)).toEqual(drawnTables);
  });

  test('draws existing columns, with their types, and all columns of the primary keys', async () => {
    const columns = await textsOf(
      `SELECT concat_ws(' ', c.table_name, c.column_name, c.udt_name,
         CASE WHEN i.indisprimary THEN 'PK' END) AS text
       FROM information_schema.columns c
       LEFT JOIN pg_attribute a ON a.attrelid = c.table_name::regclass AND a.attname = c.column_name
       LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY(i.indkey)
       WHERE c.table_schema = 'public'`,
    );
    expect(columns).toEqual(expect.arrayContaining(drawnColumns));
    expect(drawnColumns).toEqual(expect.arrayContaining(columns.filter((column) => column.endsWith(' PK'))));
  });

  test('draws every foreign key as a solid line, and no other link', async () => {
    const keys = await textsOf(
      `SELECT DISTINCT confrelid::regclass || ' ' || conrelid::regclass AS text FROM pg_constraint WHERE contype = 'f' ORDER BY 1`,
    );
    expect(drawnLinks('--')).toEqual([...keys].sort());
    expect(drawnLinks('..').filter((link) => keys.includes(link))).toEqual([]);
  });
});
