/** `funnel gc` against a running service with a finished sweep: first only the report, then the deletion. */
import { type StartedApi, startApi } from '@funnel/api';
import type { AuditEntry, Collection, Sweep } from '@funnel/contracts';
import { createTestDatabase, type TestDatabase } from '@funnel/db/testing';
import { startWorker } from '@funnel/worker';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { funnel } from './funnel.ts';

const logger = pino({ level: 'silent' });
let database: TestDatabase;
let api: StartedApi;
let sweep: Sweep;

const run = (...args: string[]) => funnel(args, { env: { FUNNEL_URL: api.url } });
const json = async <T>(...args: string[]): Promise<T> => {
  const { status, stdout, stderr } = await run(...args, '--json');
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
};

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi({ databaseUrl: database.url, port: 0, engineVersion: 'stand-in', logger });
  const worker = await startWorker({ databaseUrl: database.url, slots: 2, simulation: {}, log: logger });
  const answer = await fetch(`${api.url}/v1/sweeps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'old',
      dataset: { name: 'glyphs', train: 128, test: 20, attack: 10 },
      space: { gamma: [1, 2, 3], initialiseEpochs: 1, optimiseEpochs: 2, classifierEpochs: 1 },
      attacks: ['fgsm', 'transfer-linf'],
    }),
  });
  sweep = (await answer.json()) as Sweep;
  const { status, stderr } = await run('watch', sweep.id);
  expect(status, stderr).toBe(0);
  await worker.stop();
});
afterAll(async () => {
  await api?.close();
  await database?.drop();
});

const everything = ['--keep-days', '0', '--keep-best', '1'];

it('reports the checkpoints that it would delete, and deletes them with --yes', async () => {
  expect((await run('gc')).stdout).toBe('Nothing to delete: the kept trials need every checkpoint.\n');
  const promised = await json<Collection & { collected: boolean }>('gc', ...everything);
  expect(promised).toMatchObject({
    trials: 2,
    collected: false,
    sweeps: [{ id: sweep.id, name: 'old', trials: 2, kept: 1 }],
  });
  expect(promised.bytes).toBeGreaterThan(0);
  const said = await run('gc', ...everything);
  expect(said.stdout).toContain(
    `Would delete ${promised.checkpoints} checkpoints of 2 trials: ${promised.blobs} blobs`,
  );
  expect(said.stdout).toMatch(/Nothing was deleted: add --yes to delete\./);
  expect((await run('gc', ...everything, '--keep-sweep', 'old')).stdout).toMatch(/^Nothing to delete/);

  expect(await json('gc', ...everything, '--yes')).toEqual({ ...promised, collected: true });
  expect(await json('gc', ...everything)).toMatchObject({ checkpoints: 0, bytes: 0 });
  const audit = (await (await fetch(`${api.url}/v1/audit`)).json()) as { items: AuditEntry[] };
  expect(audit.items.filter(({ action }) => action === 'collectGarbage')).toHaveLength(1);
  expect((await run('show', sweep.id)).status).toBe(0);
});

it('refuses an invalid policy', async () => {
  const { status, stderr } = await run('gc', '--keep-days', 'many');
  expect(status).not.toBe(0);
  expect(stderr).toMatch(/--keep-days/);
  expect((await run('gc', '--metric', 'luck')).status).toBe(2);
});
