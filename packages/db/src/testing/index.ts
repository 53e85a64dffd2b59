export {
  createLimitedRole,
  type Gate,
  holdStructure,
  type LimitedRole,
  mountSmallDisk,
  type SmallDisk,
  startGate,
  throughGate,
} from './faults.ts';
export { type Filling, fillTables } from './fill-tables.ts';
export { type MadeDataset, type MakeDataset, makeDataset } from './make-dataset.ts';
export { hasPgbouncer, type Pooler, startPooler, warnWithoutPgbouncer } from './pooler.ts';
export {
  type Certificates,
  hasOpenssl,
  makeCertificates,
  type SecureServer,
  startSecureServer,
  warnWithoutOpenssl,
} from './secure-server.ts';
export { createTestDatabase, openTestDb, type TestDatabase } from './test-database.ts';
