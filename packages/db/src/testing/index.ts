export { createTestDatabase, openTestDb, type TestDatabase } from './create-test-database.ts';
export { type Filling, fillTables } from './fill-tables.ts';
export { createLimitedRole, type LimitedRole } from './limited-role.ts';
export { hasPgbouncer, type Pooler, sayIfNoPgbouncer, startPooler } from './pooler.ts';
export {
  type Certificates,
  hasOpenssl,
  makeCertificates,
  type SecureServer,
  sayIfNoOpenssl,
  startSecureServer,
} from './secure-server.ts';
export { mountSmallDisk, type SmallDisk } from './small-disk.ts';
export { type Gate, startGate, throughGate } from './tcp-gate.ts';
