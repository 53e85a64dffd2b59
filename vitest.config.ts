import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{packages,apps,tools,infra}/**/test/**/*.test.ts'],
    pool: 'forks',
    // Starts a PostgreSQL when, and only when, a test asks for a database.
    globalSetup: ['packages/db/src/testing/test-database.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
