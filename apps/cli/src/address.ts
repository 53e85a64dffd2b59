/** Where a running `funnel up` of this folder answers: written by it, read by every other command in the same folder. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export type Address = { readonly url: string; readonly pid: number };

const file = (home: string): string => join(resolve(home), 'address.json');

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

/** Null when nothing runs here, also where a killed one left its address behind. */
export const readAddress = (home: string): Address | null => {
  try {
    const address: Address = JSON.parse(readFileSync(file(home), 'utf8'));
    return isAlive(address.pid) ? address : null;
  } catch {
    return null;
  }
};

export const writeAddress = (home: string, url: string): void => {
  mkdirSync(resolve(home), { recursive: true });
  const next = `${file(home)}.${process.pid}`;
  writeFileSync(next, JSON.stringify({ url, pid: process.pid } satisfies Address));
  renameSync(next, file(home));
};

export const removeAddress = (home: string): void => rmSync(file(home), { force: true });
