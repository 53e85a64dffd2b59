import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { announce } from './process.mjs';

/** The id of the process that has the lock; null when there is no lock; 0 when the file has no id. */
const holderOf = (path) => {
  try {
    return Number(readFileSync(path, 'utf8')) || 0;
  } catch {
    return null;
  }
};

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

/** Only one of several processes can make the link, and it appears with its content: no process sees a lock without its holder's id. */
const take = (path) => {
  const mine = `${path}.${process.pid}.new`;
  writeFileSync(mine, String(process.pid));
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(mine, { force: true });
  }
};

/**
 * Moves the lock of a killed process aside; only one of several processes can. When two processes found the same old lock, the second may move
 * the new lock of the first. It then moves that lock back.
 */
const breakStale = (path, holder) => {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (holderOf(aside) !== holder) renameSync(aside, path);
  else rmSync(aside, { force: true });
};

/** A wait is announced only after this time, because most builds take less. */
const silentMs = 3000;

/** Runs `action` while holding a lock file, so that two processes do not install or build the same folder at the same time. */
export const withLock = async (path, action) => {
  mkdirSync(dirname(path), { recursive: true });
  const start = performance.now();
  for (let announced = false; !take(path); ) {
    const holder = holderOf(path);
    if (holder === null) continue;
    // A process takes a lock once. Its own id in the lock is that of a killed one: a container starts with the same ids again. A lock
    // appears with its content, so a lock without an id is what a power failure left.
    if (holder === process.pid || holder === 0 || !isAlive(holder)) {
      breakStale(path, holder);
      continue;
    }
    if (!announced && performance.now() - start > silentMs) {
      announce(`waiting for another start in this folder (process ${holder})`);
      announced = true;
    }
    await sleep(100);
  }
  try {
    return await action();
  } finally {
    rmSync(path, { force: true });
  }
};
