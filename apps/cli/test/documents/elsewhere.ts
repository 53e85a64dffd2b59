/** Commands that a test cannot run as they are: they install, serve for ever, or need more machines. Each has a check instead. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startApi } from '@funnel/api';
import { createClient } from '@funnel/client';
import type { SweepInput } from '@funnel/contracts';
import { readSweepYaml } from '@funnel/contracts/sweep-yaml';
import { createTestDatabase } from '@funnel/db/testing';
import { pino } from 'pino';
import { expect, vi } from 'vitest';
import { parse } from 'yaml';
import { read, root } from './blocks.ts';
import type { Workplace } from './workplace.ts';

/** Asserts that .ci/run contains exactly this command. */
const landing = (command: string) => () => {
  expect(
    read('.ci/run')
      .split('\n')
      .some((line) => line.startsWith(command)),
    `${command} in .ci/run`,
  ).toBe(true);
};

/** Runs a command on its own database. With a token in the shared database, the other commands would need a token too. */
const onOwnDatabase =
  (command: string) =>
  async ({ run }: Workplace): Promise<void> => {
    const database = await createTestDatabase();
    try {
      const { status, output } = await run('bash', ['-c', command], { DATABASE_URL: database.url });
      expect(status, output).toBe(0);
    } finally {
      await database.drop();
    }
  };

/** A service with a token answers calls with the token, and no others. */
const withToken = async ({ run }: Workplace): Promise<void> => {
  const database = await createTestDatabase();
  const logger = pino({ level: 'silent' });
  const api = await startApi({ databaseUrl: database.url, port: 0, engineVersion: 'stand-in', logger });
  const env = { DATABASE_URL: database.url, FUNNEL_URL: api.url };
  try {
    const { output } = await run('npx', ['funnel', 'token', 'create', 'alice'], env);
    const [token = ''] = /funnel_[\w-]+/.exec(output) ?? [];
    expect((await run('npx', ['funnel', 'ls'], { ...env, FUNNEL_TOKEN: token })).status, output).toBe(0);
    // The API looks for a first token at most every two seconds.
    await vi.waitFor(async () => expect((await run('npx', ['funnel', 'ls'], env)).status).toBe(3), {
      timeout: 60_000,
      interval: 200,
    });
  } finally {
    await api.close();
    await database.drop();
  }
};

/** Starts a worker, waits until the service lists it, and stops it. */
const workerJoins = async ({ url, env, folder }: Workplace): Promise<void> => {
  const client = createClient({ url });
  const online = async () =>
    (await client.listWorkers()).items.filter(({ status }) => status === 'online').length;
  const before = await online();
  const worker = spawn(fileURLToPath(new URL('funnel', root)), ['worker'], {
    cwd: folder,
    env: { ...env, FUNNEL_SLOTS: '1', FUNNEL_BACKEND: 'cpu' },
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => worker.on('close', resolve));
  try {
    await vi.waitFor(async () => expect(await online()).toBe(before + 1), { timeout: 60_000, interval: 200 });
  } finally {
    worker.kill('SIGTERM');
  }
  expect(await ended).toBe(0);
};

/** A search whose trials train for long takes the point before it ends. */
const takesPoint =
  (command: string) =>
  async ({ run, url }: Workplace): Promise<void> => {
    const client = createClient({ url });
    const body = readSweepYaml(read('examples/search.yaml')) as SweepInput;
    const space = { ...body.space, initialiseEpochs: 2000 };
    const { id } = await client.createSweep({ body: { ...body, name: 'A long search', space } });
    const { status, output } = await run('bash', ['-c', command.replace(' Search ', ` ${id} `)]);
    expect([status, output]).toEqual([0, expect.stringContaining('Points that the next proposals take: 1.')]);
    await client.cancelSweep({ params: { id } });
  };

const tryPoint =
  'npx funnel try Search --set recipe=funn --set gamma=5 --set beta=0.05 --set optimiseAttackerRate=1e-3 --set optimiseDefenderRate=1e-4';

export const elsewhere: Readonly<Record<string, (workplace: Workplace) => void | Promise<void>>> = {
  // apps/cli/test/up.test.ts serves until it is stopped. `--once` does the same and ends.
  'npm start': () => {
    expect(JSON.parse(read('package.json')).scripts.start).toBe('node infra/bootstrap/start.mjs');
    expect(read('infra/bootstrap/start.mjs')).toContain("runFunnel(['up', ...process.argv.slice(2)])");
  },
  'npm start -- --once': landing('npm start -- --once'),
  'npm test': landing('npm test'),
  'npm run test:system': landing('npm run test:system'),
  'npx funnel worker': workerJoins,
  'DATABASE_URL=postgres://… REDIS_URL=redis://… ./funnel worker': workerJoins,
  // infra/test/compose.test.ts checks the file. A service can scale if it has no fixed name and no fixed port.
  'docker compose up --scale worker=4': () => {
    const { worker } = parse(read('docker-compose.yml'), { merge: true }).services;
    expect(worker).toMatchObject({ command: expect.anything() });
    expect(worker).not.toHaveProperty('container_name');
    expect(worker).not.toHaveProperty('ports');
  },
  // ID is the sweep that the command above it submitted.
  'npx funnel report table2 --sweep ID --out docs/table2.md': async ({ run, url }) => {
    const { items } = await createClient({ url }).listSweeps({ query: { search: 'Table 2' } });
    const { status, output } = await run('npx', ['funnel', 'report', 'table2', '--sweep', items[0]!.id]);
    expect([status, output]).toEqual([0, expect.stringContaining('# Table 2')]);
  },
  [tryPoint]: takesPoint(tryPoint),
  'npx funnel token create NAME': onOwnDatabase('npx funnel token create NAME'),
  'npx funnel token create alice --role submit': onOwnDatabase('npx funnel token create alice --role submit'),
  'npx funnel token revoke alice': onOwnDatabase(
    'npx funnel token create alice && npx funnel token revoke alice',
  ),
  'FUNNEL_TOKEN=funnel_… npx funnel ls': withToken,
  'curl -N http://127.0.0.1:7070/v1/events': async ({ run, url }) => {
    const listen = (seconds: string) =>
      run('curl', ['-N', '--no-progress-meter', '--max-time', seconds, '-i', `${url}/v1/events`]);
    // A busy machine may need longer to answer.
    const first = await listen('2');
    const { status, output } = first.output.includes('text/event-stream') ? first : await listen('30');
    // 28: curl stopped at its time limit, because the stream does not end.
    expect([status, output]).toEqual([28, expect.stringContaining('text/event-stream')]);
  },
};
