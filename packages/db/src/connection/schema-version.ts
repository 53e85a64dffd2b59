/** The schema that this version of Funnel needs, and the error for a database with another schema. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AppError } from '@funnel/contracts';

export const migrationsFolder = fileURLToPath(new URL('../../../../prisma/migrations', import.meta.url));

/** Names of the migrations in a folder, oldest first. */
export const migrationNames = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();

/** The newest migration of this version. */
export const newestMigration: string = migrationNames(migrationsFolder).at(-1) ?? 'none';

/**
 * SQL: the newest migration of the database. A statement that must not run under another schema reads this value with its rows. The ledger
 * fits into one page, so the cost is small.
 */
export const appliedMigration = `(SELECT max(migration_name COLLATE "C") FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL)`;

const advice = (applied: string | null): string =>
  applied !== null && applied > newestMigration
    ? `a newer version of Funnel has migrated it. Install the version that has ${applied}, and start again`
    : 'it is older than this version. Start the API of this version, or run `npx funnel migrate`, and start again';

/**
 * Refuses a database whose schema has changed since the start of this process, by a migration or by the restore of an older backup.
 * `applied`: the value of `appliedMigration`. Errors: SCHEMA_MISMATCH.
 */
export const checkMigration = (applied: string | null, cause?: unknown): void => {
  if (applied === newestMigration) return;
  throw new AppError(
    'SCHEMA_MISMATCH',
    `Expected a database of migration ${newestMigration}, but it has ${applied ?? 'none'}: ${advice(applied)}`,
    {},
    { cause },
  );
};
