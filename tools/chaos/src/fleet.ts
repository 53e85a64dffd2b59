/** The processes of a run: API and workers, one of them behind a TCP relay that can go silent. */
import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Database, freePort, keepRunning, type Process } from './services.ts';
import type { WorkerProcessOptions } from './worker-process.ts';

/** A TCP relay. While it is silent, connections stay open and no data passes, as if a cable were cut or a firewall had forgotten the connection. */
export type Relay = {
  readonly port: number;
  /** Nothing passes until `restore`, which closes the silent connections. */
  readonly silence: () => void;
  readonly restore: () => void;
  readonly close: () => Promise<void>;
};

const openRelay = async (target: { readonly host: string; readonly port: number }): Promise<Relay> => {
  const sockets = new Set<Socket>();
  let silent = false;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const pipe = (from: Socket, to: Socket): void => {
    from.on('data', (bytes) => {
      if (!silent) to.write(bytes);
    });
    from.on('close', () => {
      if (!silent) to.destroy();
    });
  };
  const server = createServer((near) => {
    const far = keep(dial(target.port, target.host));
    keep(near);
    pipe(near, far);
    pipe(far, near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const closeAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    silence: () => {
      silent = true;
    },
    restore: () => {
      silent = false;
      closeAll();
    },
    close: async () => {
      closeAll();
      server.close();
      await once(server, 'close');
    },
  };
};

export type Fleet = {
  readonly url: string;
  readonly api: Process;
  readonly workers: readonly Process[];
  /** Between the last worker and PostgreSQL. */
  readonly relay: Relay;
  readonly stop: () => Promise<void>;
};

export type FleetOptions = {
  readonly database: Database;
  readonly queueUrl: string;
  readonly workers: number;
  readonly leaseSeconds: number;
  readonly logs: string;
  readonly worker: Pick<WorkerProcessOptions, 'simulation' | 'backend' | 'slots' | 'maxAttempts'>;
  /** Options in which the workers differ, in turns. (Default: all are equal) */
  readonly variants?: readonly Partial<WorkerProcessOptions>[];
};

const source = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

export const startFleet = async ({
  database,
  queueUrl,
  workers,
  leaseSeconds,
  logs,
  worker,
  variants = [],
}: FleetOptions): Promise<Fleet> => {
  const relay = await openRelay({ host: '127.0.0.1', port: database.port });
  const port = await freePort();
  const redis: Record<string, string> = queueUrl.startsWith('redis') ? { REDIS_URL: queueUrl } : {};
  const node = (name: string, args: readonly string[], env: Record<string, string> = {}): Process =>
    keepRunning({ name, command: process.execPath, args: ['--import', 'tsx', ...args], env, logs });
  const api = node('api', [source('../../../apps/api/src/main.ts')], {
    DATABASE_URL: database.url,
    ...redis,
    FUNNEL_HOST: '127.0.0.1',
    FUNNEL_PORT: String(port),
    FUNNEL_MAX_SWEEPS_PER_TOKEN: '100000', // all clients have one address
  });
  const startWorker = (i: number): Process => {
    const port = i === workers - 1 ? relay.port : database.port;
    const databaseUrl = database.url.replace(`:${database.port}/`, `:${port}/`);
    // If the queue is in PostgreSQL too, the worker reaches it through the same port.
    const options: WorkerProcessOptions = {
      maxAttempts: 1000,
      ...worker,
      ...variants[i % variants.length],
      databaseUrl,
      queueUrl: queueUrl === database.url ? databaseUrl : queueUrl,
      leaseSeconds,
      drainSeconds: 5,
      pollSeconds: 1,
    };
    return node(`worker-${i}`, [source('worker-process.ts'), JSON.stringify(options)]);
  };
  const workerProcesses = Array.from({ length: workers }, (_, i) => startWorker(i));
  return {
    url: `http://127.0.0.1:${port}`,
    api,
    workers: workerProcesses,
    relay,
    stop: async () => {
      relay.restore();
      await Promise.all([api, ...workerProcesses].map((process) => process.stop()));
      await relay.close();
    },
  };
};
