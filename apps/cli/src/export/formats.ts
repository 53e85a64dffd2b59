import { parquetWriteBuffer } from 'hyparquet-writer';

/** Tables as they leave for other programs: typed columns, the same in CSV, JSON and Parquet. */
export type ColumnType = 'string' | 'integer' | 'number' | 'boolean' | 'time';
/** Times are ISO 8601 in UTC. A number may be "Infinity", as in JSON. Null where there is no value. */
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

/** The same, row by row: one object with every column as a key. */
export const tableRows = (table: Table): Record<string, Cell>[] =>
  (table[0]?.cells ?? []).map((_, i) =>
    Object.fromEntries(table.map(({ name, cells }) => [name, cells[i]!])),
  );

/** RFC 4180: a csvField with a comma, a quote or a line break is quoted. Missing values are empty. */
const csvField = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** One line of titles (by default every key that any row has, in order of appearance) and one line per row. */
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

/** JSON has no infinity and no times: Parquet has both. */
const typed = (type: ColumnType, cell: Cell): Cell | Date => {
  if (cell === null) return null;
  if (type === 'time') return new Date(String(cell));
  return type === 'number' ? Number(cell) : cell;
};

/** Apache Parquet, Snappy-compressed; a missing value is a null and not a NaN. */
const parquet = (table: Table): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({
      createdBy: 'funnel',
      columnData: table.map(({ name, type, cells }) => ({
        name,
        type: parquetTypes[type],
        nullable: true,
        data: cells.map((cell) => typed(type, cell)),
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
