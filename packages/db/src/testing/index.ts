export { createTestDatabase, openTestDb, type TestDatabase } from './create-test-database.ts';
