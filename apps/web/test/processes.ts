/** Starts the API and a worker as processes, on a new database. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createTestDatabase } from '@funnel/db/testing';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const run = (entry: string, env: Record<string, string>): ChildProcess =>
  spawn(process.execPath, ['--import', 'tsx', entry], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
};

/** The address from the log of the API. */
const addressOf = async (api: ChildProcess): Promise<string> => {
  for await (const line of createInterface({ input: api.stdout! })) {
    const { url } = JSON.parse(line) as { readonly url?: string };
    if (url !== undefined) {
      api.stdout!.resume(); // nothing reads the rest, and a full pipe would block the process
      return url;
    }
  }
  throw new Error('Expected the API to listen, but it ended');
};

export type Running = { readonly url: string; readonly close: () => Promise<void> };

/** Without a worker, submitted sweeps do not start. */
export const startFunnel = async ({ worker = true } = {}): Promise<Running> => {
  const database = await createTestDatabase();
  const home = await mkdtemp(join(tmpdir(), 'funnel-web-'));
  const env = { DATABASE_URL: database.url, FUNNEL_HOME: home, FUNNEL_PORT: '0', REDIS_URL: '' };
  const api = run('apps/api/src/main.ts', { ...env, FUNNEL_LOG_LEVEL: 'info' });
  const children = [api];
  const close = async () => {
    await Promise.all(children.map(stop));
    await database.drop();
    await rm(home, { recursive: true, force: true });
  };
  try {
    const url = await addressOf(api);
    if (worker) {
      const trainer = { ...env, FUNNEL_SLOTS: '1', FUNNEL_BACKEND: 'wasm', FUNNEL_LOG_LEVEL: 'silent' };
      const child = run('apps/worker/src/main.ts', trainer);
      child.stdout!.resume();
      children.push(child);
    }
    return { url: `${url}/`, close };
  } catch (error) {
    await close();
    throw error;
  }
};
