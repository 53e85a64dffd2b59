export { createDb, type Db, type DbOptions } from './db.ts';
export { type EmbeddedDatabase, type EmbeddedOptions, startEmbedded } from './embedded/start-embedded.ts';
export { migrate } from './migrate.ts';
