import { expect, it } from 'vitest';
import { saturated } from '../src/fleet.ts';

const limits = { cores: 2, connections: 2600 };
const calm = { connections: 1400, sessions: { running: 0.2 }, cores: 0.3, workerCores: 0.4 };

it('names nothing where nothing is saturated', () => {
  expect(saturated(calm, limits)).toEqual([]);
});

it('names the processor first, then the most contended rows', () => {
  const sessions = { 'Lock transactionid of WITH counted AS': 60, running: 5, 'IO WalSync': 0.4 };
  expect(saturated({ ...calm, cores: 0.9, workerCores: 1, sessions }, limits)).toEqual([
    'the processor: PostgreSQL 0.9 and simulated workers 1 of 2 cores',
    'contended rows: sessions wait for Lock transactionid of WITH counted AS',
  ]);
});

it('distinguishes the disk from locks, and counts connections', () => {
  const sessions = { 'LWLock WALWrite': 7, 'IO WalSync': 2, 'LWLock BufferContent': 3 };
  expect(saturated({ ...calm, connections: 2500, sessions }, limits)).toEqual([
    'the disk: sessions wait for LWLock WALWrite',
    'contended rows: sessions wait for LWLock BufferContent',
    'connections: 2500 of 2600',
  ]);
});
