import { parquetWriteBuffer } from 'hyparquet-writer';
import { formatCsv } from '../output/csv.ts';
import { type Cell, type ColumnType, type Table, tableRows } from './table.ts';

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
