/** PgBouncer in transaction mode in front of a database: each transaction may run on another connection to the server. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findAccount } from '../embedded/prepare.ts';
import { administer } from './test-database.ts';

/** The folders to search. Debian installs pgbouncer in /usr/sbin, which is not in the PATH of every user. */
const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin'];

const findProgram = (): string | null => {
  for (const folder of folders) {
    const program = path.join(folder, 'pgbouncer');
    try {
      accessSync(program, constants.X_OK);
      return program;
    } catch {} // not in this folder
  }
  return null;
};

const program = findProgram();
export const hasPgbouncer = program !== null;

/** Warns that `what` is not tested when there is no PgBouncer. With FUNNEL_REQUIRE_ALL it throws instead. */
export const warnWithoutPgbouncer = (what: string): void => {
  if (hasPgbouncer) return;
  const how = `pgbouncer is not installed, so ${what} is not tested (Debian: apt-get install pgbouncer)`;
  if (process.env.FUNNEL_REQUIRE_ALL) throw new Error(how);
  console.warn(how);
};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // of a server that listens on a port
  server.close();
  await once(server, 'close');
  return port;
};

const settingsFor = (server: URL, port: number): string => `[databases]
* = host=${server.hostname} port=${server.port} user=${server.username} password=${decodeURIComponent(server.password)}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
ignore_startup_parameters = statement_timeout,idle_in_transaction_session_timeout
`;

export type Pooler = {
  /** The same database through the pooler. */
  readonly url: string;
  readonly stop: () => Promise<void>;
};

/** A pooler in front of the database at `url`. It keeps its connections to the server when clients disconnect. */
export const startPooler = async (url: string): Promise<Pooler> => {
  if (program === null) throw new Error('Expected pgbouncer to be installed, but it is not');
  const through = new URL(url);
  through.port = String(await freePort());
  const folder = await mkdtemp(path.join(tmpdir(), 'funnel-pooler-'));
  await chmod(folder, 0o755);
  const file = path.join(folder, 'pgbouncer.ini');
  await writeFile(file, settingsFor(new URL(url), Number(through.port)));
  // PgBouncer does not run as root, and neither does PostgreSQL.
  const child = spawn(program, [file], { ...(await findAccount()), cwd: folder, stdio: 'ignore' });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`Expected pgbouncer to serve, but it ended with ${code}`);
  });
  ended.catch(() => {}); // the race below handles a failure at the start; a later end is no error
  const serving = async (): Promise<void> => {
    while (child.exitCode === null) {
      const served = await administer(through.href, 'SELECT 1').then(
        () => true,
        () => false,
      );
      if (served) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended.catch(() => {});
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await Promise.race([serving(), ended]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: through.href, stop };
};
