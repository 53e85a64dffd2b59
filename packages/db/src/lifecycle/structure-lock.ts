/**
 * The lock that lets the operations on whole sweeps (submit, pause, resume, cancel, retry, delete, collect) run one after the other, so that
 * the rows that one of them reads stay the same until it commits. Attempts do not take this lock.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@funnel/contracts';
import { bool } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';

const key = "hashtext('funnel structure')";

/** SQL: takes the lock, and waits for it. */
export const takeStructureLock = `SELECT pg_advisory_xact_lock(${key})`;

/** The error of an operation that waited too long for another one, and has changed nothing. */
export const isBusy = (error: unknown): boolean => error instanceof AppError && error.details.isBusy === true;

/** From now on the transaction waits at most two seconds for each lock. Its errors are then UNAVAILABLE, with `isBusy`. */
export const limitWaits = (tx: Tx): Promise<void> => tx.run("SET LOCAL lock_timeout = '2s'");

/** Waits at most two seconds for this lock, and for each later lock of the transaction. Errors: UNAVAILABLE. */
export const lockStructure = async (tx: Tx): Promise<void> => {
  await limitWaits(tx);
  await tx.run(takeStructureLock);
};

const tries = 20;
const pauseMs = 50;

/** Tries for a second. Resolves to false if another operation still has the lock. */
export const tryLockStructure = async (tx: Tx): Promise<boolean> => {
  for (let i = 0; i < tries; i++) {
    const [row] = await tx.query({ free: bool() }, `SELECT pg_try_advisory_xact_lock(${key}) AS free`);
    if (row!.free) return true;
    await sleep(pauseMs);
  }
  return false;
};

/** Waits for the lock for a minute, and never leaves the connection idle for long. For work that nobody waits for. Errors: UNAVAILABLE. */
export const awaitStructure = async (tx: Tx): Promise<void> => {
  for (let i = 0; i < 60; i++) if (await tryLockStructure(tx)) return;
  throw new AppError('UNAVAILABLE', 'Expected to begin within a minute, but other operations take longer', {
    isBusy: true,
  });
};
