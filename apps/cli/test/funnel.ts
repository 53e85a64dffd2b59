/** Runs the command line as a separate process, with separate streams. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const launcher = fileURLToPath(new URL('../bin/funnel.mjs', import.meta.url));

export type Ran = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

export type Surroundings = {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
};

/** The variables of the test run without those that configure Funnel. */
const clean = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(FUNNEL_|DATABASE_URL|REDIS_URL|VITEST|NODE_OPTIONS)/.test(name),
  ),
);

export const spawnFunnel = (args: readonly string[], { env = {}, cwd }: Surroundings = {}) =>
  spawn(process.execPath, [launcher, ...args], {
    cwd,
    env: { ...clean, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });

export const funnel = (args: readonly string[], surroundings: Surroundings = {}): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawnFunnel(args, surroundings);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.stdin.on('error', () => {}); // one that ended without reading: its status says why
    child.stdin.end(surroundings.input ?? '');
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
