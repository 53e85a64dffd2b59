/** `funnel examine` and `funnel attack` read a checkpoint of a service by its address, and show the service its token. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StartedApi, startApi } from '@funnel/api';
import { createClient } from '@funnel/client';
import { defaultHyperparameters } from '@funnel/contracts';
import { claimStage, createDb, recordCheckpoint } from '@funnel/db';
import { createTestDatabase, type TestDatabase } from '@funnel/db/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
// The parts of the engine that make a checkpoint without training.
import { packTensors } from '../../../packages/engine/src/checkpoint.ts';
import { joined, weightSpecs } from '../../../packages/engine/src/models/architecture.ts';
import { classifierHead, encoder } from '../../../packages/engine/src/models/auto-encoders.ts';
import { topologyOf } from '../../../packages/engine/src/models/topology.ts';
import { funnel } from './funnel.ts';

const folder = mkdtempSync(join(tmpdir(), 'funnel-checkpoint-'));
let database: TestDatabase;
let api: StartedApi;
/** The address of the classifier, without `/model.json`. */
let address: string;
let token: string;

const body = encoder([28, 28, 1], { ...defaultHyperparameters, filters: '4-8', latent: 6 });
const classifier = joined(body, classifierHead(body, 5, 10));
/** Weights that differ, the same in every run. */
const values = weightSpecs(classifier).map(({ shape }, i) =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, j) => Math.sin(i + 0.37 * j) / 3),
);

/** Submits a sweep of one trial, and stores the network as the checkpoint of its first stage. Returns its hash. */
const store = async (): Promise<string> => {
  const db = createDb(database.url);
  try {
    await createClient({ url: api.url }).createSweep({
      body: {
        name: 'one trial',
        dataset: { name: 'glyphs', train: 128, test: 64, attack: 16 },
        space: { initialiseEpochs: 1, optimiseEpochs: 1, classifierEpochs: 1 },
        attacks: ['fgsm'],
      },
    });
    const claimed = await claimStage(db, { workerId: 'w', leaseSeconds: 60 });
    const { stageId, fencingToken } = claimed!;
    const { blob, bytes } = packTensors(values);
    const weights = weightSpecs(classifier).map(({ name, shape }) => ({ name, shape: [...shape] }));
    const { hash } = await recordCheckpoint(db, {
      stageId,
      fencingToken,
      blobs: new Map([[blob, bytes]]),
      metrics: { attackerLoss: 1, defenderLoss: 1 },
      manifest: {
        position: { epoch: 1, step: 0 },
        networks: { classifier: { topology: topologyOf(classifier), weights, blob } },
        moments: null,
        scalars: {},
      },
    });
    return hash;
  } finally {
    await db.close();
  }
};

beforeAll(async () => {
  database = await createTestDatabase();
  const logger = pino({ level: 'silent' });
  api = await startApi({ databaseUrl: database.url, port: 0, engineVersion: 'stand-in', logger });
  address = `${api.url}/v1/checkpoints/${await store()}/classifier`;
  mkdirSync(join(folder, 'classifier'));
  for (const file of ['model.json', 'weights.bin']) {
    const answer = await fetch(`${address}/${file}`);
    writeFileSync(join(folder, 'classifier', file), Buffer.from(await answer.arrayBuffer()));
  }
  const made = await funnel(['token', 'create', 'reader', '--role', 'read'], {
    env: { DATABASE_URL: database.url },
  });
  token = made.stdout.trim();
  // The API looks for a first token at most every two seconds.
  await vi.waitFor(async () => expect((await fetch(`${address}/model.json`)).status).toBe(401), {
    timeout: 60_000,
    interval: 200,
  });
});
afterAll(async () => {
  await api?.close();
  await database?.drop();
  rmSync(folder, { recursive: true });
});

const args = ['--dataset', 'glyphs', '--indices', '0-19', '--backend', 'wasm', '--json'];
const withToken = () => ({ env: { FUNNEL_URL: api.url, FUNNEL_TOKEN: token } });

it('examines a checkpoint by its address as it examines its files', async () => {
  const [remote, local] = await Promise.all([
    funnel(['examine', '--model', address, ...args], withToken()),
    funnel(['examine', '--model', join(folder, 'classifier'), ...args]),
  ]);
  expect(remote.status, remote.stderr).toBe(local.status);
  const examination = JSON.parse(remote.stdout);
  expect(examination).toEqual({ ...JSON.parse(local.stdout), model: address });
  expect(examination).toMatchObject({ images: 20, gradients: 'right' });
});

it('attacks it', async () => {
  const attack = ['attack', '--force', '--attack', 'fgsm', ...args, '--model'];
  const [remote, local] = await Promise.all([
    funnel([...attack, address], withToken()),
    funnel([...attack, join(folder, 'classifier')]),
  ]);
  expect(remote.status, remote.stderr).toBe(0);
  expect(JSON.parse(remote.stdout).rows).toEqual(JSON.parse(local.stdout).rows);
});

it('says that a service wants its token', async () => {
  const { status, stderr } = await funnel(['examine', '--model', address, ...args], {
    env: { FUNNEL_URL: api.url },
  });
  expect(JSON.parse(stderr).error).toMatchObject({
    message: expect.stringMatching(/\/classifier\/model\.json: HTTP 401$/),
    hint: expect.stringMatching(/^Set FUNNEL_TOKEN, and FUNNEL_URL/),
  });
  expect(status).toBe(2);
});

it('shows the token to the service, and to no other address', async () => {
  const seen: (string | undefined)[] = [];
  const stranger = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void stranger.close());
  const { port } = stranger.address() as AddressInfo;
  const { status } = await funnel(
    ['examine', '--model', `http://127.0.0.1:${port}/v1/checkpoints/a/classifier`, ...args],
    withToken(),
  );
  expect([status, seen]).toEqual([2, [undefined]]);
});
