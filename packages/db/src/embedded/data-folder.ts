/** Makes a data folder once, whole or not at all. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '@funnel/contracts';
import type { Account } from './account.ts';

const execute = promisify(execFile);

export const superuser = 'funnel';

/** PostgreSQL gets nothing of our environment but what it needs: PG* variables of the user must not steer it. */
export const environment = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

const passwordFile = (dir: string): string => `${dir}.password`;

/** The password of this data folder's superuser, readable by us alone. */
export const readPassword = async (dir: string): Promise<string> => {
  const file = passwordFile(dir);
  const password = await readFile(file, 'utf8').catch((cause) => {
    const message = `Expected the password of ${dir} in ${file}, but it cannot be read (${cause.code}). Restore it, or move both away to begin anew.`;
    throw new AppError('UNAVAILABLE', message, { part: 'database' }, { cause });
  });
  return password.trim();
};

const own = async (file: string, { uid, gid }: Account): Promise<void> => {
  if (uid !== undefined && gid !== undefined) await chown(file, uid, gid);
};

/**
 * initdb into a folder beside it, then one rename: `dir` is there whole or not at all, whenever the machine stops. What an interrupted
 * run left is thrown away. `dir` itself is never.
 */
export const makeDataFolder = async (dir: string, initdb: string, account: Account): Promise<void> => {
  const entries = await readdir(dir).catch((): string[] => []);
  if (entries.includes('PG_VERSION')) return;
  if (entries.length > 0)
    throw new AppError(
      'UNAVAILABLE',
      `Expected a PostgreSQL data folder or none at ${dir}, but it holds ${entries.slice(0, 5).join(', ')}`,
      { part: 'database' },
    );

  const unfinished = `${dir}.unfinished`;
  const handed = `${unfinished}.password`; // initdb runs as another user, who may not read ours
  const password = randomBytes(24).toString('base64url');
  await mkdir(path.dirname(dir), { recursive: true });
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await own(unfinished, account);
  await writeFile(passwordFile(dir), `${password}\n`, { mode: 0o600 });
  try {
    await rm(handed, { force: true });
    await writeFile(handed, `${password}\n`, { mode: 0o600, flag: 'wx' });
    await own(handed, account);
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = [`--username=${superuser}`, '--auth=scram-sha-256', `--pwfile=${handed}`];
    await execute(initdb, [`--pgdata=${unfinished}`, ...locale, ...access], {
      ...account,
      env: environment,
      cwd: unfinished,
    });
  } catch (cause) {
    const reason =
      cause instanceof Error && 'stderr' in cause && cause.stderr
        ? String(cause.stderr).trim()
        : String(cause);
    throw new AppError(
      'UNAVAILABLE',
      `initdb could not make ${dir}: ${reason}`,
      { part: 'database' },
      { cause },
    );
  } finally {
    await rm(handed, { force: true });
  }
  await rm(dir, { recursive: true, force: true }); // empty, as seen above; rename wants it gone on some systems
  await rename(unfinished, dir);
};
