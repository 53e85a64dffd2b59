/** PgBouncer in transaction mode in front of a database: each transaction may run on another connection to the server. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
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

const documents = fileURLToPath(new URL('../../../../docs/scaling.md', import.meta.url));

/** The `pgbouncer.ini` of docs/scaling.md, with the addresses, the port and the authentication of this machine. */
const settingsFor = async (server: URL, port: number): Promise<string> => {
  const documented = /```ini\n(.*?)```/s.exec(await readFile(documents, 'utf8'))?.[1];
  if (!documented) throw new Error(`Expected pgbouncer.ini in ${documents}, but found none`);
  const password = decodeURIComponent(server.password);
  return documented
    .replace(
      /^funnel = host=\S+ port=\S+ dbname=\S+/m,
      `* = host=${server.hostname} port=${server.port} user=${server.username} password=${password}`,
    )
    .replace(/^listen_addr = .*$/m, 'listen_addr = 127.0.0.1\nunix_socket_dir =')
    .replace(/^listen_port = .*$/m, `listen_port = ${port}`)
    .replace(/^auth_type = .*$/m, 'auth_type = any')
    .replace(/^auth_file = .*$/m, '');
};

export type Pooler = {
  /** The same database through the pooler. */
  readonly url: string;
  readonly stop: () => Promise<void>;
};

/**
 * A pooler in front of the database at `url`, as docs/scaling.md configures it. It keeps its connections to the server when clients disconnect.
 * `change`: makes other settings of them.
 */
export const startPooler = async (
  url: string,
  change = (settings: string): string => settings,
): Promise<Pooler> => {
  if (program === null) throw new Error('Expected pgbouncer to be installed, but it is not');
  const through = new URL(url);
  through.port = String(await freePort());
  const folder = await mkdtemp(path.join(tmpdir(), 'funnel-pooler-'));
  await chmod(folder, 0o755);
  const file = path.join(folder, 'pgbouncer.ini');
  await writeFile(file, change(await settingsFor(new URL(url), Number(through.port))));
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
