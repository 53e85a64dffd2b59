/**
 * Faults that tests cause on purpose: a server that cannot be reached (`startGate`), a server that accepts no connection (`createLimitedRole`),
 * a disk that is full (`mountSmallDisk`), and an operation on a whole sweep that does not end (`holdStructure`).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { Db } from '../connection/db.ts';
import { takeStructureLock } from '../lifecycle/structure-lock.ts';

/** A TCP proxy in front of a server. */
export type Gate = {
  readonly port: number;
  /** The number of connections that clients opened while the gate listened. */
  readonly attempts: () => number;
  /** Connects all clients to the server, including the clients that `stall` holds. */
  readonly open: () => Promise<void>;
  /** Cuts all connections and stops listening, so that new connections are refused. */
  readonly close: () => Promise<void>;
  /** Cuts all connections, and every new one at once. */
  readonly slam: () => void;
  /** Keeps all connections open, but passes no bytes on. */
  readonly stall: () => void;
};

/** A gate in front of the server at this port of 127.0.0.1. */
export const startGate = async (target: number): Promise<Gate> => {
  let attempts = 0;
  let mode: 'open' | 'slam' | 'stall' = 'open';
  /** The connection of each client to the server; null before it has one. */
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
    ({ open: pass, slam: cut, stall: hold })[mode](client);
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen(0);
  const { port } = server.address() as AddressInfo; // of a server that listens on a port
  const cutAll = (): void => {
    for (const client of clients.keys()) cut(client);
  };

  return {
    port,
    attempts: () => attempts,
    open: async () => {
      if (mode === 'open' && server.listening) return;
      mode = 'open';
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
      mode = 'slam';
      cutAll();
    },
    stall: () => {
      mode = 'stall';
      for (const client of clients.keys()) hold(client);
    },
  };
};

/** The same address through the gate. */
export const throughGate = (address: string, { port }: Gate): string => {
  const url = new URL(address);
  url.host = `127.0.0.1:${port}`;
  return url.href;
};

/** A role with a limit of connections. Other tests connect as a superuser, to whom no limit applies. */
export type LimitedRole = {
  /** The address of the database for this role, which has all rights of the owner. */
  readonly url: string;
  /** Allows this role `count` connections (default: none), and ends the connections beyond this number. */
  readonly limit: (count?: number) => Promise<void>;
  /** Removes the limit. */
  readonly admit: () => Promise<void>;
  /** Process ids of the connections of this role. */
  readonly connections: () => Promise<readonly string[]>;
  readonly kill: (pid: string) => Promise<void>;
  /** To be called after the database was dropped. */
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

/** A small file system, which a file can fill. */
export type SmallDisk = {
  readonly folder: string;
  /** Fills all space that is free now. */
  fill(): void;
  /** Frees that space. */
  free(): void;
  unmount(): void;
};

/** Null, with a warning, if this machine cannot mount one. With FUNNEL_REQUIRE_ALL it throws instead. */
export const mountSmallDisk = (megabytes: number): SmallDisk | null => {
  const folder = mkdtempSync(path.join(tmpdir(), 'funnel-disk-'));
  const options = `size=${megabytes}m,mode=755`;
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'funnel-test', folder]);
  if (status !== 0) {
    rmSync(folder, { recursive: true });
    const how =
      'this process cannot mount a file system (only root can), so the tests do not use a really full disk';
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

/** Holds the lock that a large submission holds while it writes. Returns a function that releases it; further calls do nothing. */
export const holdStructure = async (db: Db): Promise<() => Promise<void>> => {
  const client = await db.connect();
  // A slow machine may hold the lock for longer than a transaction may stand still.
  await client.query('BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0');
  await client.query(takeStructureLock);
  let held = true;
  return async () => {
    if (held) await client.query('ROLLBACK');
    if (held) client.release();
    held = false;
  };
};
