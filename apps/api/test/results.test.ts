import { type Client, createClient } from '@funnel/client';
import type { SweepDetail } from '@funnel/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
// The simulated trainer of the database's tests.
import { drain } from '../../../packages/db/test/support/simulated-trainer.ts';
import { build, oneTrial, type TestApp } from './build.ts';

let api: TestApp;
let client: Client;
let sweep: SweepDetail;

/** Four trials with two seeds, all completed. */
beforeAll(async () => {
  api = await build();
  client = createClient({ url: await api.app.listen({ host: '127.0.0.1', port: 0 }) });
  const space = { ...oneTrial.space, gamma: [1, 5] };
  const { id } = await client.createSweep({
    body: { ...oneTrial, attacks: [{ attack: 'fgsm', search: false }], space, seeds: 2 },
  });
  await drain(api.db);
  sweep = await client.getSweep({ params: { id } });
});
afterAll(() => api.close());

const trials = async () => (await client.listTrials({ params: { id: sweep.id } })).items;

describe('results, through the typed client', () => {
  test('a finished sweep has its cost', () => {
    expect(sweep).toMatchObject({ status: 'completed', trials: { completed: 4 }, progress: 1 });
    expect(sweep.epochsTrained).toBe(sweep.plan.epochs.needed);
    expect(sweep.plan.epochs).toEqual({ unshared: 12, needed: 10, cached: 0 });
  });

  test('trials come in pages, ordered by number', async () => {
    const first = await client.listTrials({ params: { id: sweep.id }, query: { limit: 3 } });
    const second = await client.listTrials({
      params: { id: sweep.id },
      query: { limit: 3, cursor: first.next! },
    });
    expect([...first.items, ...second.items].map((trial) => trial.number)).toEqual([0, 1, 2, 3]);
    expect(second.next).toBeNull();
    expect(
      (await client.listTrials({ params: { id: sweep.id }, query: { status: 'failed' } })).items,
    ).toEqual([]);
  });

  test('one trial has its stages, curves, evaluation and pictures', async () => {
    const { id } = (await trials())[0]!;
    const trial = await client.getTrial({ params: { id } });
    expect(trial.stages.map((stage) => stage.kind)).toEqual(['initialise', 'optimise', 'classify', 'attack']);
    expect(trial.hyperparameters).toMatchObject({ gamma: 1, beta: 0.01 });
    const { series } = await client.getMetrics({ params: { id } });
    expect(series).toContainEqual({ kind: 'classify', name: 'cleanAccuracy', epochs: [1], values: [0.9] });
    const stage = trial.stages.at(-1)!.id;
    expect(await client.getEvaluation({ params: { id: stage } })).toMatchObject({
      stage,
      attack: 'fgsm',
      summary: { robustAccuracy: 0.75 },
    });
    // The simulated trainer repeats four outcomes until there are enough images for a verdict.
    const repeated = <T>(outcomes: readonly T[]): T[] => Array.from({ length: 5 }, () => outcomes).flat();
    const images = await client.getImages({ params: { id, stage } });
    expect(images).toMatchObject({
      success: repeated([true, false, false, false]),
      correct: repeated([true, true, true, true]),
      l2: repeated([0.5, null, null, null]),
    });
    expect(Buffer.from(images.gallery.original[0]!, 'base64')).toEqual(Buffer.from([0, 1, 2, 3]));
    expect(await client.getStage({ params: { id: stage } })).toMatchObject({
      status: 'completed',
      attempts: 1,
    });
  });

  test('the leaderboard ranks, filters and groups', async () => {
    const all = await client.leaderboard({ query: { attack: 'fgsm' } });
    expect(all.items.map((row) => [row.rank, row.value])).toEqual([
      [1, 0.75],
      [1, 0.75],
      [1, 0.75],
      [1, 0.75],
    ]);
    const few = await client.leaderboard({
      query: { where: ['gamma:4..6', 'beta:0.01'], sweep: sweep.id, recipe: 'funn' },
    });
    expect(few.items.map((row) => row.hyperparameters.gamma)).toEqual([5, 5]);
    const grouped = await client.leaderboard({ query: { group: 'configuration' } });
    expect(grouped.items.map((row) => row.seeds)).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  test('a comparison names the hyperparameters that differ', async () => {
    const [a, b, c] = (await trials()).map(({ id }) => id);
    const comparison = await client.compare({ query: { trials: `${c},${a}` } });
    expect(comparison.trials.map(({ id }) => id)).toEqual([c, a]);
    expect(comparison.differs).toContain('gamma');
    await expect(client.compare({ query: { trials: `${a},${a}` } })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
    expect((await client.compare({ query: { trials: `${a},${b}` } })).trials).toHaveLength(2);
  });

  test('a sweep whose stages are all done is complete at once', async () => {
    const { id } = await client.createSweep({ body: { ...sweep.definition, name: 'again' } });
    const again = await client.getSweep({ params: { id } });
    expect(again).toMatchObject({ status: 'completed', epochsTrained: 0, plan: { epochs: { needed: 0 } } });
    expect((await client.listSweeps({ query: { search: 'AGAIN' } })).items.map((item) => item.id)).toEqual([
      id,
    ]);
  });
});
