/** Starts a redis-server for one test file on a free port, if the program is installed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { vi } from 'vitest';

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
};

const answers = (port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve();
    }).on('error', reject);
  });

export type RedisTestOptions = { readonly args?: readonly string[]; readonly tls?: boolean };

/** `args`: further arguments. `tls`: the port accepts only TLS. */
export const startRedis = async ({ args = [], tls = false }: RedisTestOptions = {}) => {
  const port = await freePort();
  const dir = await mkdtemp(path.join(tmpdir(), 'funnel-redis-'));
  const ports = tls ? ['--port', '0', '--tls-port', String(port)] : ['--port', String(port)];
  let server: ChildProcess;
  const start = async (): Promise<void> => {
    server = spawn(
      'redis-server',
      [...ports, '--bind', '127.0.0.1', '--dir', dir, '--appendonly', 'yes', ...args],
      { stdio: 'ignore' },
    );
    await vi.waitFor(() => answers(port), { timeout: 10_000, interval: 20 });
  };
  const kill = async (): Promise<void> => {
    server.kill('SIGKILL');
    await once(server, 'exit');
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    start,
    stop: async () => {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
};
