/**
 * Compares the columns that a statement declares with PostgreSQL's description of the result. `openTestDb` does this for every statement of
 * every test, so the tests of a statement fail when a column has another name or type.
 */
import type { FieldDef } from 'pg';
import { type Column, typeIds } from '../connection/columns.ts';
import type { ExecutedStatement } from '../connection/db.ts';

/** Functions such as `pg_advisory_xact_lock` return one value of type void. */
const voidType = 2278;

const typeNames = new Map<number, string>(Object.entries(typeIds).map(([name, id]) => [id, name]));

const compareColumn = (
  name: string,
  column: Column<unknown> | undefined,
  field: FieldDef | undefined,
): string[] => {
  if (!field) return [`declares the column ${name}, which PostgreSQL does not give`];
  if (!column) return [`gives the column ${name}, which is not declared`];
  if (typeIds[column.type] === field.dataTypeID) return [];
  const actual = typeNames.get(field.dataTypeID) ?? `the type with oid ${field.dataTypeID}`;
  return [`declares ${name} as ${column.type}, but PostgreSQL gives ${actual}`];
};

/** The differences as sentences; the subject, the statement, is missing. */
export const differencesOf = ({ columns, fields }: Omit<ExecutedStatement, 'text'>): readonly string[] => {
  const given = new Map(
    fields.filter((field) => field.dataTypeID !== voidType).map((field) => [field.name, field]),
  );
  const names = new Set([...Object.keys(columns), ...given.keys()]);
  return [...names].flatMap((name) => compareColumn(name, columns[name], given.get(name)));
};

/** For `DbOptions.onStatement`. Throws when a statement returns other columns than it declares. */
export const checkStatement = (statement: ExecutedStatement): void => {
  const differences = differencesOf(statement);
  if (differences.length > 0)
    throw new Error(`This statement ${differences.join(', and ')}:\n${statement.text}`);
};
