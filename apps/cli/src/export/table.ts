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
