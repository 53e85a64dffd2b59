/** A PostgreSQL server from the programs of this machine, with its client programs, for users who run their own server. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { vi } from 'vitest';
import { findAccount } from '../../src/embedded/prepare.ts';
import { administer } from '../../src/testing/test-database.ts';

const programs = ['initdb', 'postgres', 'pg_dump', 'pg_restore'];

/** The folder that has all of the programs; null when this machine has none. */
export const findPrograms = (): string | null => {
  try {
    const folder = execFileSync('pg_config', ['--bindir'], { encoding: 'utf8', stdio: 'pipe' }).trim();
    return programs.every((program) => existsSync(path.join(folder, program))) ? folder : null;
  } catch {
    return null;
  }
};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
};

export type OwnServer = { readonly url: string; readonly stop: () => Promise<void> };

export const startOwnServer = async (folder: string): Promise<OwnServer> => {
  const account = await findAccount(); // PostgreSQL does not run as root
  const home = await mkdtemp(path.join(tmpdir(), 'funnel-own-'));
  await chmod(home, 0o755);
  if (account.uid !== undefined) await chown(home, account.uid, account.gid!);
  const data = path.join(home, 'data');
  const options = { ...account, cwd: home, env: { LC_ALL: 'C' }, stdio: 'ignore' as const };
  execFileSync(
    path.join(folder, 'initdb'),
    ['-D', data, '--auth=trust', '--username=owner', '--no-sync', '--encoding=UTF8'],
    options,
  );
  const port = await freePort();
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off'];
  const server = spawn(
    path.join(folder, 'postgres'),
    ['-D', data, '-p', `${port}`, ...settings.flatMap((setting) => ['-c', setting])],
    options,
  );
  const url = `postgres://owner@127.0.0.1:${port}/postgres`;
  await vi.waitFor(() => administer(url, 'SELECT 1'), { timeout: 30_000, interval: 50 });
  return {
    url,
    stop: async () => {
      server.kill('SIGINT');
      if (server.exitCode === null) await once(server, 'exit');
      await rm(home, { recursive: true, force: true });
    },
  };
};
