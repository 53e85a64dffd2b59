import { parquetWriteBuffer } from 'hyparquet-writer';

/** Tables with typed columns, and the files that they become: CSV, JSON and Parquet with the same values. */
export type ColumnType = 'string' | 'integer' | 'number' | 'boolean' | 'time';
/** A time is ISO 8601 in UTC. A number may be "Infinity", as in the API's JSON. Null is a missing value. */
export type Cell = string | number | boolean | null;

export type Column<Row> = {
  readonly name: string;
  readonly type: ColumnType;
  readonly value: (row: Row) => Cell | undefined;
};

export type Table = readonly {
  readonly name: string;
  readonly type: ColumnType;
  readonly cells: readonly Cell[];
}[];

export const fillTable = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Table =>
  columns.map(({ name, type, value }) => ({ name, type, cells: rows.map((row) => value(row) ?? null) }));

/** The rows of a table: one object each, with every column as a key. */
export const tableRows = (table: Table): Record<string, Cell>[] =>
  (table[0]?.cells ?? []).map((_, i) =>
    Object.fromEntries(table.map(({ name, cells }) => [name, cells[i]!])),
  );

/** RFC 4180: a field with a comma, a quote or a line break is quoted. A missing value is empty. */
const csvField = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** A line of titles, then one line per row. Titles default to the keys of all rows, in order of appearance. */
export const formatCsv = (
  rows: readonly Readonly<Record<string, unknown>>[],
  titles: readonly string[] = [...new Set(rows.flatMap((row) => Object.keys(row)))],
): string => {
  const lines = [titles, ...rows.map((row) => titles.map((title) => row[title]))];
  return `${lines.map((line) => line.map(csvField).join(',')).join('\r\n')}\r\n`;
};

const parquetTypes = {
  string: 'STRING',
  integer: 'INT32',
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
  time: 'TIMESTAMP',
} as const satisfies Record<ColumnType, string>;

/** Unlike JSON, Parquet has infinity and times. */
const toParquet = (type: ColumnType, cell: Cell): Cell | Date => {
  if (cell === null) return null;
  if (type === 'time') return new Date(String(cell));
  return type === 'number' ? Number(cell) : cell;
};

/** Compressed with Snappy. A missing value is null, not NaN. */
const parquet = (table: Table): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({
      createdBy: 'funnel',
      columnData: table.map(({ name, type, cells }) => ({
        name,
        type: parquetTypes[type],
        nullable: true,
        data: cells.map((cell) => toParquet(type, cell)),
      })),
    }),
  );

export const formats = {
  csv: (table: Table): string =>
    formatCsv(
      tableRows(table),
      table.map(({ name }) => name),
    ),
  json: (table: Table): string => `${JSON.stringify(tableRows(table), null, 2)}\n`,
  parquet,
} as const;
export type Format = keyof typeof formats;
export const formatNames = Object.keys(formats) as Format[];
