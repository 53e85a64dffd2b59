/** A folder like that of a reader of the documents, with its own service. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startApi } from '@funnel/api';
import { engineVersion } from '@funnel/contracts';
import { createTestDatabase } from '@funnel/db/testing';
import { startWorker } from '@funnel/worker';
import { pino } from 'pino';
import { root } from './blocks.ts';

export type Ran = { readonly status: number | null; readonly output: string };
export type Workplace = {
  readonly folder: string;
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs a program in the folder. `output` is stdout and stderr together. */
  readonly run: (
    program: string,
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ) => Promise<Ran>;
  readonly close: () => Promise<void>;
};

const run = (
  program: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
      });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, output }));
  });

/** `trainers`: simulated ones compute nothing. Real ones train and attack on wasm, and find the first images of MNIST. */
export const openWorkplace = async (trainers: 'simulated' | 'real' = 'simulated'): Promise<Workplace> => {
  const folder = mkdtempSync(join(tmpdir(), 'funnel-documents-'));
  const log = pino({ level: 'silent' });
  const database = await createTestDatabase();
  const api = await startApi({
    ...{ databaseUrl: database.url, port: 0, logger: log },
    engineVersion: trainers === 'real' ? engineVersion : 'stand-in',
  });
  const home = join(folder, '.funnel');
  const worker = await startWorker({
    ...{ databaseUrl: database.url, slots: 2, log },
    ...(trainers === 'real'
      ? { backend: 'wasm', folders: { dir: fileURLToPath(new URL('fixtures/data', root)), home } }
      : { simulation: {} }),
  });
  symlinkSync(fileURLToPath(new URL('examples', root)), join(folder, 'examples'));
  // In a clone, `npx funnel` runs this launcher.
  mkdirSync(join(folder, 'bin'));
  const launcher = fileURLToPath(new URL('apps/cli/bin/funnel.mjs', root));
  const npx = join(folder, 'bin', 'npx');
  writeFileSync(
    npx,
    `#!/bin/sh\n[ "$1" = funnel ] || exit 127\nshift\nexec "${process.execPath}" "${launcher}" "$@"\n`,
  );
  chmodSync(npx, 0o755);
  const env = {
    ...Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(FUNNEL_|VITEST|NODE_OPTIONS)/.test(name)),
    ),
    PATH: [join(folder, 'bin'), process.env.PATH].join(delimiter),
    FUNNEL_URL: api.url,
    FUNNEL_HOME: home,
    DATABASE_URL: database.url,
    REDIS_URL: '',
  };
  return {
    folder,
    url: api.url,
    env,
    run: (program, args, more = {}) => run(program, args, folder, { ...env, ...more }),
    close: async () => {
      await worker.stop();
      await api.close();
      await database.drop();
      rmSync(folder, { recursive: true });
    },
  };
};
