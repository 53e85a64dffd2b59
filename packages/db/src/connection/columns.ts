/**
 * Tables of the columns in a statement's result, each with PostgreSQL's name of its type. TypeScript derives the type of a row from such a
 * table. Tests compare the table with PostgreSQL's description of the result: they fail when a column has another name or type.
 */

/** Object identifiers of PostgreSQL's built-in types (`pg_type.oid`), which are the same in every server. */
export const typeIds = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  float8: 701,
  timestamptz: 1184,
  xid8: 5069,
  jsonb: 3802,
  'bool[]': 1000,
  'int2[]': 1005,
  'int4[]': 1007,
  'text[]': 1009,
  'float8[]': 1022,
} as const;

export type Column<Value> = {
  readonly type: keyof typeof typeIds;
  readonly isNullable: boolean;
  /** Never set: it only carries the type. */
  readonly value?: Value;
};

const column = <Value>(type: keyof typeof typeIds): Column<Value> => ({ type, isNullable: false });

/** `Value`: the possible texts, such as the statuses. */
export const text = <Value extends string = string>() => column<Value>('text');
export const int2 = () => column<number>('int2');
export const int4 = () => column<number>('int4');
/** The driver gives a number: counts and ids stay far below 2^53. */
export const int8 = () => column<number>('int8');
export const float8 = () => column<number>('float8');
export const bool = () => column<boolean>('bool');
export const timestamptz = () => column<Date>('timestamptz');
export const bytea = () => column<Buffer>('bytea');
/** The number of a transaction; too large for a JavaScript number. */
export const xid8 = () => column<string>('xid8');
/** `Value`: the type of the stored value. The database does not check it. */
export const jsonb = <Value>() => column<Value>('jsonb');

export const texts = <Value extends string = string>() => column<Value[]>('text[]');
export const int2s = () => column<number[]>('int2[]');
/** `Value`: includes null if an element may be NULL. */
export const int4s = <Value extends number | null = number>() => column<Value[]>('int4[]');
export const float8s = <Value extends number | null = number>() => column<Value[]>('float8[]');
export const bools = () => column<boolean[]>('bool[]');

/** The same column, which may be NULL. */
export const orNull = <Value>({ type }: Column<Value>): Column<Value | null> => ({ type, isNullable: true });

export type Columns = Readonly<Record<string, Column<unknown>>>;

/** A row in the form in which the driver gives it. */
export type RowOf<C extends Columns> = {
  readonly [Name in keyof C]: C[Name] extends Column<infer Value> ? Value : never;
};

/** The columns as a SELECT list, each of the table `alias`. */
export const listOf = (columns: Columns, alias: string): string =>
  Object.keys(columns)
    .map((name) => `${alias}.${name}`)
    .join(', ');
