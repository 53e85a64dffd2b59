/** A way to a server that can be shut: what a client meets when its server is away in one way or another. */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';

export type Gate = {
  readonly port: number;
  /** Connections that were asked for while somebody listened. */
  readonly attempts: () => number;
  /** Lets everybody through, those who were held included. */
  readonly open: () => Promise<void>;
  /** Cuts everybody, and nobody listens any more. */
  readonly close: () => Promise<void>;
  /** Cuts everybody, and whoever comes, at once. */
  readonly slam: () => void;
  /** Nothing goes through, and nobody is told: those who come are held. */
  readonly stall: () => void;
};

/** In front of the server at this port of 127.0.0.1. */
export const startGate = async (target: number): Promise<Gate> => {
  let attempts = 0;
  let manner: 'open' | 'slam' | 'stall' = 'open';
  /** Clients, each with its connection to the server once it has one. */
  const clients = new Map<Socket, Socket | null>();

  const pass = (client: Socket): void => {
    const behind = clients.get(client) ?? connect(target, '127.0.0.1');
    clients.set(client, behind);
    behind.on('error', () => {}).once('close', () => client.destroy());
    client.pipe(behind).pipe(client);
  };
  const hold = (client: Socket): void => {
    const behind = clients.get(client);
    client.unpipe().pause();
    behind?.unpipe().pause();
  };
  const cut = (client: Socket): void => void client.destroy();

  const server = createServer({ pauseOnConnect: true }, (client) => {
    attempts++;
    clients.set(client, null);
    client
      .on('error', () => {})
      .once('close', () => {
        clients.get(client)?.destroy();
        clients.delete(client);
      });
    ({ open: pass, slam: cut, stall: hold })[manner](client);
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen(0);
  const { port } = server.address() as AddressInfo; // of a TCP server that listens
  const cutAll = (): void => {
    for (const client of clients.keys()) cut(client);
  };

  return {
    port,
    attempts: () => attempts,
    open: async () => {
      if (manner === 'open' && server.listening) return;
      manner = 'open';
      if (!server.listening) await listen(port);
      for (const client of clients.keys()) pass(client);
    },
    close: async () => {
      const closed = server.listening && once(server, 'close');
      server.close();
      cutAll();
      await closed;
    },
    slam: () => {
      manner = 'slam';
      cutAll();
    },
    stall: () => {
      manner = 'stall';
      for (const client of clients.keys()) hold(client);
    },
  };
};

/** The same address by way of the gate. */
export const throughGate = (address: string, { port }: Gate): string => {
  const url = new URL(address);
  url.host = `127.0.0.1:${port}`;
  return url.href;
};

/** A role that PostgreSQL can turn away: a superuser, as whom tests connect otherwise, is admitted whatever the limits are. */

export type LimitedRole = {
  /** The database as this role, which may do there what its owner may. */
  readonly url: string;
  /** Ends the connections of this role beyond `count` (default: all), and admits no more than those. */
  readonly limit: (count?: number) => Promise<void>;
  readonly admit: () => Promise<void>;
  /** Process ids of the connections of this role. */
  readonly connections: () => Promise<readonly string[]>;
  readonly kill: (pid: string) => Promise<void>;
  /** After the database was dropped. */
  readonly drop: () => Promise<void>;
};

export const createLimitedRole = async (databaseUrl: string): Promise<LimitedRole> => {
  const url = new URL(databaseUrl);
  const owner = decodeURIComponent(url.username);
  const name = url.pathname.slice(1);
  const role = `limited_${name}`;
  const maintenance = new URL(databaseUrl);
  maintenance.pathname = '/postgres';
  const admin = new pg.Pool({ connectionString: maintenance.href, max: 1 });
  await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'limited' IN ROLE "${owner}"`);
  url.username = role;
  url.password = 'limited';
  const setLimit = (count: number) => admin.query(`ALTER ROLE ${role} CONNECTION LIMIT ${count}`);
  const connections = async (): Promise<string[]> => {
    const { rows } = await admin.query<{ pid: string }>(
      'SELECT pid::text FROM pg_stat_activity WHERE usename = $1 ORDER BY backend_start',
      [role],
    );
    return rows.map(({ pid }) => pid);
  };
  const kill = async (pid: string): Promise<void> =>
    void (await admin.query('SELECT pg_terminate_backend($1::int)', [pid]));
  return {
    url: url.href,
    limit: async (count = 0) => {
      await setLimit(count);
      for (const pid of (await connections()).slice(count)) await kill(pid);
    },
    admit: async () => void (await setLimit(-1)),
    connections,
    kill,
    drop: async () => {
      await admin.query(`DROP ROLE ${role}`);
      await admin.end();
    },
  };
};

/** A disk that really becomes full: a file system of its own, small, with a file on it that takes the rest. */

export type SmallDisk = {
  readonly folder: string;
  /** Takes all room that is left now. */
  fill(): void;
  /** Gives it back. */
  free(): void;
  unmount(): void;
};

/** Null where none can be mounted, which is said; where FUNNEL_REQUIRE_ALL is set, it throws. */
export const mountSmallDisk = (megabytes: number): SmallDisk | null => {
  const folder = mkdtempSync(path.join(tmpdir(), 'funnel-disk-'));
  const options = `size=${megabytes}m,mode=755`;
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'funnel-test', folder]);
  if (status !== 0) {
    rmSync(folder, { recursive: true });
    const how = 'no file system can be mounted here (it takes root): a full disk is not tested for real';
    if (process.env.FUNNEL_REQUIRE_ALL) throw new Error(how);
    console.warn(how);
    return null;
  }
  const ballast = path.join(folder, 'ballast');
  return {
    folder,
    fill: () => {
      const descriptor = openSync(ballast, 'a');
      const page = Buffer.alloc(4096);
      try {
        for (;;) writeSync(descriptor, page);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        closeSync(descriptor);
      }
    },
    free: () => rmSync(ballast),
    unmount: () => {
      execFileSync('umount', ['--lazy', folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
