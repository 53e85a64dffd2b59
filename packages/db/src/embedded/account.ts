/** PostgreSQL refuses to run as root: then it runs as the user `postgres`, who must be able to reach its files. */
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '@funnel/contracts';

const execute = promisify(execFile);

/** Whom to start processes as; empty: as ourselves. */
export type Account = { readonly uid?: number; readonly gid?: number };

const user = 'postgres';

const lookUp = async (): Promise<Required<Account> | null> => {
  const passwd = await readFile('/etc/passwd', 'utf8');
  const fields = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === user);
  return fields ? { uid: Number(fields[2]), gid: Number(fields[3]) } : null;
};

/** The ways of the distributions, first one that works; BusyBox (Alpine) has only the last. */
const makeUser = async (): Promise<void> => {
  const ways = [
    ['useradd', '--system', '--user-group', '--no-create-home', '--shell', '/bin/false', user],
    ['useradd', '--system', '--no-create-home', '--shell', '/bin/false', '-g', user, user],
    ['adduser', '-S', '-D', '-H', '-s', '/bin/false', user],
  ] as const;
  const failures: string[] = [];
  for (const [command, ...args] of ways) {
    try {
      await execute(command, args);
      return;
    } catch (error) {
      if (await lookUp()) return; // another starter made it
      failures.push(error instanceof Error ? error.message.trim() : String(error));
    }
  }
  const message = `PostgreSQL does not run as root, and the user ${user} could not be made (${failures.join('; ')}). Start Funnel as an ordinary user, or set DATABASE_URL.`;
  throw new AppError('UNAVAILABLE', message, { part: 'database' });
};

/** Who PostgreSQL runs as here. Errors: UNAVAILABLE when that user cannot be made. */
export const findAccount = async (): Promise<Account> => {
  if (process.getuid?.() !== 0) return {};
  const found = await lookUp();
  if (found) return found;
  await makeUser();
  return (await lookUp()) ?? {};
};

const mayEnter = async (folder: string, { uid, gid }: Account): Promise<boolean> => {
  const stats = await stat(folder);
  if (stats.uid === uid) return (stats.mode & 0o100) !== 0;
  if (stats.gid === gid) return (stats.mode & 0o010) !== 0;
  return (stats.mode & 0o001) !== 0;
};

/** Refuses a folder that the account cannot reach, and names the one on the way that is shut. Errors: UNAVAILABLE. */
export const checkReach = async (file: string, account: Account): Promise<void> => {
  if (account.uid === undefined) return;
  const parts = path.resolve(file).split(path.sep).slice(0, -1);
  for (let i = 1; i <= parts.length; i++) {
    const folder = parts.slice(0, i).join(path.sep) || path.sep;
    if (await mayEnter(folder, account)) continue;
    const mode = ((await stat(folder)).mode & 0o777).toString(8);
    const message =
      `PostgreSQL does not run as root, so it runs as the user ${user}, who may not enter ${folder} (mode ${mode}) on the way to ${file}. ` +
      'Move Funnel to a folder that everyone may enter (such as /opt or /srv), start it as an ordinary user, or set DATABASE_URL.';
    throw new AppError('UNAVAILABLE', message, { part: 'database', folder });
  }
};
