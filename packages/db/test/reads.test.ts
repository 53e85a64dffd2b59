import { routes, wilsonInterval } from '@funnel/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  attemptBounds,
  compareTrials,
  type Db,
  getEvaluation,
  getImages,
  getMetrics,
  getStage,
  getSweep,
  getTrial,
  heartbeat,
  listStages,
  listSweeps,
  listTrials,
  listWorkers,
  pingDatabase,
  readServiceCounts,
  registerWorker,
  retireWorker,
} from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';
import { claim, countsAt, drain, finish, record } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';

let db: Db;
let done: string;
let halfway: string;
let stageId: string;
beforeAll(async () => {
  db = await openTestDb();
  await registerWorker(db, {
    id: 'worker',
    host: 'here',
    pid: 1,
    version: '0',
    backend: 'wasm',
    device: 'cpu',
    slots: 2,
  });
  done = (await submit(db, { name: 'Done 100%', seeds: [1], space: { gamma: [1, 2] } })).sweepId;
  await drain(db);
  halfway = (await submit(db, { name: 'half_way', recipes: ['funn', 'classic'], seeds: [2] })).sweepId;
  const claimed = (await claim(db))!;
  stageId = claimed.stageId;
  await record(db, claimed, { epoch: 1, step: 0 });
  const { fencingToken } = claimed;
  await heartbeat(db, {
    workerId: 'worker',
    memoryBytes: 5,
    leaseSeconds: 60,
    leases: [{ stageId, fencingToken, position: { epoch: 1, step: 9 }, imagesPerSecond: 3 }],
  });
});
afterAll(() => db.close());

/** Checks that a value matches the schema of the route. */
const fits = (
  route: { response?: { safeParse(value: unknown): { success: boolean; error?: unknown } } },
  value: unknown,
) => expect(route.response!.safeParse(value)).toMatchObject({ success: true });

describe('sweeps', () => {
  test('are listed newest first, page by page, by status and by a part of the name', async () => {
    const all = await listSweeps(db, { limit: 10 });
    fits(routes.listSweeps, all);
    expect(all.items.map((sweep) => sweep.id)).toEqual([halfway, done]);
    const first = await listSweeps(db, { limit: 1 });
    const second = await listSweeps(db, { limit: 1, cursor: first.next! });
    expect([...first.items, ...second.items].map((sweep) => sweep.id)).toEqual([halfway, done]);
    expect(second.next).toBeNull();
    expect((await listSweeps(db, { limit: 9, status: 'completed' })).items).toHaveLength(1);
    expect((await listSweeps(db, { limit: 9, search: '0%' })).items).toHaveLength(1);
    expect((await listSweeps(db, { limit: 9, search: 'HALF_' })).items).toHaveLength(1);
    const [{ id }] = all.items as [(typeof all.items)[number]];
    expect(
      (await listSweeps(db, { limit: 9, search: id.slice(0, 14) })).items.map((each) => each.id),
    ).toEqual([id]);
    expect((await listSweeps(db, { limit: 9, search: 'f%w' })).items).toHaveLength(0);
    await expect(listSweeps(db, { limit: 1, cursor: '{' })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
  });

  test('have a progress that counts the epochs and attacks of their plans', async () => {
    const sweep = await getSweep(db, halfway);
    fits(routes.getSweep, sweep);
    // funn: 2 + 3 + 1, classic: 5 + 1 epochs, and two attacks; one epoch is done.
    expect(sweep).toMatchObject({ status: 'running', epochsTrained: 1, trials: { running: 1, waiting: 1 } });
    expect(sweep.progress).toBeCloseTo(1 / 14);
    expect(await getSweep(db, done)).toMatchObject({
      progress: 1,
      etaSeconds: null,
      trials: { completed: 2 },
      epochsTrained: 10,
    });
    await expect(getSweep(db, 'none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

test('a sweep names its data, its submitter and its best configuration', async () => {
  const [running, ended] = (await listSweeps(db, { limit: 10 })).items;
  expect(running!.overview).toEqual({
    ...{ recipes: ['funn', 'classic'], dataset: 'glyphs', submittedBy: null, best: null },
  });
  // Both trials have the same value, so the first one is the best.
  const best = {
    ...{ trial: 0, metric: 'robustAccuracy', attack: 'fgsm', value: 0.75, verdict: 'ok', seeds: 1 },
    ...{
      settings: { epsilon: 1, epsilons: 1000, search: false },
      images: 20,
      interval: wilsonInterval(15, 20),
    },
  };
  expect(ended!.overview).toEqual({ recipes: ['funn'], dataset: 'glyphs', submittedBy: null, best });
  expect((await getSweep(db, done)).overview).toEqual(ended!.overview);
});

describe('trials', () => {
  test('are listed by number, page by page, by status, with their evaluations', async () => {
    const page = await listTrials(db, { sweepId: done, limit: 1 });
    fits(routes.listTrials, page);
    expect(page.items[0]).toMatchObject({
      number: 0,
      status: 'completed',
      cleanAccuracy: 0.9,
      verdict: 'ok',
      evaluations: [{ attack: 'fgsm', verdict: 'ok' }],
    });
    const next = await listTrials(db, { sweepId: done, limit: 1, cursor: page.next! });
    expect(next).toMatchObject({ items: [{ number: 1 }], next: null });
    expect((await listTrials(db, { sweepId: halfway, limit: 9, status: 'waiting' })).items).toHaveLength(1);
    await expect(listTrials(db, { sweepId: 'none', limit: 1 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('one trial has its stages, curves, evaluation and pictures', async () => {
    const trial = await getTrial(db, `${done}-00001`);
    fits(routes.getTrial, trial);
    expect(trial.stages.map((stage) => [stage.kind, stage.status, stage.sharedBy, stage.attempts])).toEqual([
      ['initialise', 'completed', 2, 1],
      ['optimise', 'completed', 1, 1],
      ['classify', 'completed', 1, 1],
      ['attack', 'completed', 1, 1],
    ]);
    expect(trial.warnings).toEqual([]);
    expect(trial.perClass).toEqual(countsAt(1));
    const series = await getMetrics(db, trial.id);
    fits(routes.getMetrics, { series });
    expect(series.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'initialise attackerLoss',
      'initialise defenderLoss',
      'optimise attackerLoss',
      'optimise defenderLoss',
      'classify classifierLoss',
      'classify cleanAccuracy',
    ]);
    expect(series[3]).toMatchObject({ epochs: [1, 2, 3], values: [2, 1, 2 / 3] });
    const stage = trial.stages.at(-1)!.id;
    const images = await getImages(db, { trialId: trial.id, stageId: stage });
    fits(routes.getImages, images);
    expect(images).toMatchObject({
      success: Array.from({ length: 20 }, (_, i) => i % 4 === 0),
      l2: Array.from({ length: 20 }, (_, i) => (i % 4 === 0 ? 0.5 : null)),
      gallery: { shape: [2, 2, 1], index: [0] },
    });
    const total = (counts: readonly number[]) => counts.reduce((sum, each) => sum + each, 0);
    const { perClass, correct } = images;
    expect(perClass.images).toHaveLength(10);
    expect(Object.values(perClass).map(total)).toEqual([20, correct.filter(Boolean).length, 15]);
    expect([...Buffer.from(images.gallery.attacked[0]!, 'base64')]).toEqual([9, 8, 7, 6]);
    fits(routes.getEvaluation, await getEvaluation(db, stage));
    await expect(getImages(db, { trialId: `${done}-00000`, stageId: stage })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(getEvaluation(db, trial.stages[0]!.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(getMetrics(db, 'none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('can be compared, with the names of the fields in which they differ', async () => {
    const answer = await compareTrials(db, [`${done}-00001`, `${done}-00000`]);
    fits(routes.compare, answer);
    expect(answer).toMatchObject({ trials: [{ number: 1 }, { number: 0 }], differs: ['gamma'] });
    const recipes = await compareTrials(db, [`${halfway}-00000`, `${halfway}-00001`]);
    expect(recipes.differs).toContain('recipe');
    expect(recipes.differs).toContain('gamma');
    await expect(compareTrials(db, [`${done}-00000`, 'none'])).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('have a warning when the hinge was never active', async () => {
    const optimise = (await getTrial(db, `${done}-00000`)).stages[1]!;
    await db.pool.query(
      `INSERT INTO metrics SELECT c.id, 'hingeActive', e, 0 FROM chains c, generate_series(1, 3) e WHERE c.hash = $1`,
      [optimise.chain],
    );
    expect((await getTrial(db, `${done}-00000`)).warnings).toEqual([
      expect.stringMatching(/hinge was never active in 3 epochs.*β = 0.01/),
    ]);
    await db.pool.query(`UPDATE metrics SET value = 0.5 WHERE name = 'hingeActive' AND epoch = 2`);
    expect((await getTrial(db, `${done}-00000`)).warnings).toEqual([]);
  });
});

describe('stages and workers', () => {
  test('stages are listed in the order in which they run', async () => {
    const { items, next } = await listStages(db, { sweepId: done, limit: 5 });
    fits(routes.listStages, { items, next });
    const rest = await listStages(db, { sweepId: done, limit: 5, cursor: next! });
    expect([...items, ...rest.items].map((stage) => stage.kind)).toEqual([
      'initialise',
      'optimise',
      'classify',
      'attack',
      'optimise',
      'classify',
      'attack',
    ]);
    const stage = await getStage(db, stageId);
    fits(routes.getStage, stage);
    expect(stage).toMatchObject({
      status: 'running',
      position: { epoch: 1, step: 9 },
      workerId: 'worker',
      fencingToken: 1,
    });
    await expect(getStage(db, 'none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('workers are listed with the stages that they run', async () => {
    const items = await listWorkers(db);
    fits(routes.listWorkers, { items });
    expect(items).toMatchObject([
      {
        id: 'worker',
        status: 'online',
        memoryBytes: 5,
        running: [{ stage: stageId, epochs: 2, imagesPerSecond: 3 }],
      },
    ]);
    await retireWorker(db, { workerId: 'worker', status: 'draining' });
    expect(await listWorkers(db)).toMatchObject([{ status: 'draining' }]);
  });

  test('the counts for monitoring', async () => {
    await pingDatabase(db);
    const counts = await readServiceCounts(db);
    expect(counts.stages).toContainEqual({ kind: 'initialise', status: 'running', count: 1 });
    expect(counts).toMatchObject({
      claimable: 1,
      expiredLeases: 0,
      fencedWrites: 0,
      failingBatches: [
        { table: 'propagations', count: 0 },
        { table: 'sweep_actions', count: 0 },
      ],
      throughput: [{ kind: 'initialise', imagesPerSecond: expect.any(Number) }],
      workers: [{ status: 'draining', count: 1, slots: 2 }],
    });
    expect(counts.attempts.find((row) => row.kind === 'attack')).toMatchObject({
      outcome: 'completed',
      attempts: 2,
    });
    // Each class also counts all shorter attempts, so the largest class counts every attempt of a test.
    for (const { attempts, within } of counts.attempts) {
      expect(within).toHaveLength(attemptBounds.length);
      expect(within).toEqual([...within].sort((a, b) => a - b));
      expect(within.at(-1)).toBe(attempts);
    }
  });
});

test('a completed stage is read with its checkpoint', async () => {
  const claimed = (await claim(db))!;
  await finish(db, claimed);
  expect(await getStage(db, claimed.stageId)).toMatchObject({
    status: 'completed',
    checkpoint: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});
