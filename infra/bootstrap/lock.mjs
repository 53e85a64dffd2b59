import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { announce } from './process.mjs';

const holderOf = (path) => {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch {
    return 0;
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

/** The lock appears with its holder's number in it at once: a link has one winner, and nobody sees an empty lock. */
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
 * A lock left by a killed process is moved aside: a rename has one winner. If what was moved turns out to be somebody's fresh lock
 * (two found the old one at once), it is put back.
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

/** Runs `work` while holding a lock file, so that two starts in one folder do not install at once. */
export const withLock = async (path, work) => {
  mkdirSync(dirname(path), { recursive: true });
  for (let told = false; !take(path); ) {
    const holder = holderOf(path);
    if (holder !== 0 && !isAlive(holder)) {
      breakStale(path, holder);
      continue;
    }
    if (!told) announce(`waiting for another start in this folder (process ${holder})`);
    told = true;
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
};
