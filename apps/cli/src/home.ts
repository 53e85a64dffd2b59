/**
 * FUNNEL_HOME, Funnel's own folder: the embedded database, the log, and the address at which `funnel up` runs. Every other command in the same
 * folder finds the running Funnel by this address.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolder } from '@funnel/contracts/make-folder';
import type { Env } from './env.ts';
import { Exit, exitCodes } from './exit.ts';

/** Makes the folder, and returns its full path. Throws Exit when the folder cannot be made or written. */
export const makeHome = ({ FUNNEL_HOME }: Env): string => {
  const home = resolve(FUNNEL_HOME);
  const probe = join(home, `.probe-${process.pid}`);
  try {
    makeFolder(home);
    writeFileSync(probe, '');
    rmSync(probe);
    return home;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Exit(
      exitCodes.usage,
      `Funnel keeps its database and its log in the folder FUNNEL_HOME, here ${home}, but it cannot write there (${code ?? message}).\n→ Set FUNNEL_HOME to a folder that you may write. (Default: .funnel in the current folder)`,
    );
  }
};

/** The data folder of the embedded database. */
export const embeddedFolder = (home: string): string => join(resolve(home), 'pgdata');

export type Address = {
  readonly url: string;
  readonly pid: number;
  /** True when this Funnel runs the PostgreSQL of its folder. Otherwise it uses the one of its own DATABASE_URL. */
  readonly embedded: boolean;
  /** Its folder with data sets (`--data`, FUNNEL_DATA), absolute. Absent if it has none. */
  readonly data?: string;
};

const addressFile = (home: string): string => join(resolve(home), 'address.json');

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

/** Null when no `funnel up` runs in this folder. A killed `funnel up` leaves its address behind, and this one is ignored. */
export const readAddress = (home: string): Address | null => {
  try {
    const address: Address = JSON.parse(readFileSync(addressFile(home), 'utf8'));
    return isAlive(address.pid) ? address : null;
  } catch {
    return null;
  }
};

/** Whether the folder names a Funnel: one has run in it, or it is not there. The image of the API has a folder in which no `funnel up` has run. */
export const namesFunnel = (home: string): boolean =>
  !existsSync(resolve(home)) || existsSync(join(resolve(home), 'funnel.log'));

export const writeAddress = (home: string, address: Omit<Address, 'pid'>): void => {
  const next = `${addressFile(home)}.${process.pid}`;
  writeFileSync(next, JSON.stringify({ ...address, pid: process.pid } satisfies Address));
  renameSync(next, addressFile(home));
};

export const removeAddress = (home: string): void => rmSync(addressFile(home), { force: true });
