export { createTestDatabase, openTestDb, type TestDatabase } from './create-test-database.ts';
export { type Filling, fillTables } from './fill-tables.ts';
