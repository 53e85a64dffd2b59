/**
 * Random valid sweeps go all the way: planned, submitted, run on a simulated trainer, ranked. Afterwards every trial has completed, every page
 * about the sweep answers, and a new plan finds all stages in the database.
 */
import type { LeaderboardRow, Plan, SweepDetail, Trial } from '@funnel/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
// The simulated trainer of the database's tests.
import { drain } from '../../../../packages/db/test/support/simulated-trainer.ts';
import { build, type TestApp } from '../build.ts';
import { type Operation, resolve } from './api-document.ts';
import { requestWith, sweepFor } from './change-request.ts';
import { describeChange, leavesOf, randomChange } from './leaves.ts';
import { createRandom, isLong, type Random, seed } from './strange-values.ts';
import { countStages } from './submit-and-delete.ts';

const sweeps = Number(process.env.FUNNEL_FUZZ_SWEEPS ?? 10);
/** Larger sweeps take long to simulate. */
const maxStages = 20;
const maxEpochs = 20;

let api: TestApp;
beforeAll(async () => {
  api = await build({ limits: { requestsPerMinute: 1e9, ownSubmissions: 1e6, ownSweeps: 1e6 } });
});
afterAll(() => api.close());

const planning: Operation = {
  id: 'planSweep',
  method: 'POST',
  path: '/v1/sweeps/plan',
  parameters: [],
  body: { $ref: '#/components/schemas/SweepDefinition' },
};
const leaves = leavesOf(planning, resolve, () => []);

const get = async <T>(url: string): Promise<T> => {
  const response = await api.app.inject({ method: 'GET', url });
  expect(response.statusCode, `${url} → ${response.body.slice(0, 300)}`).toBe(200);
  return response.json();
};

const post = (url: string, payload: string) =>
  api.app.inject({ method: 'POST', url, headers: { 'content-type': 'application/json' }, payload });

/** A small sweep with up to three mild values. */
const randomSweep = (random: Random): { readonly what: string; readonly body: string } => {
  const changes = Array.from({ length: 1 + random.below(3) }, () =>
    randomChange(random, leaves, 'mild', resolve),
  );
  const { body = '' } = requestWith(planning, { body: sweepFor(changes), idOf: () => '' }, changes);
  return { what: changes.map(describeChange).join(', '), body };
};

const expectCompleted = async (id: string, plan: Plan, what: string): Promise<void> => {
  const sweep = await get<SweepDetail>(`/v1/sweeps/${id}`);
  expect(sweep, what).toMatchObject({ status: 'completed', progress: 1, trials: { completed: plan.trials } });
  const { items: trials } = await get<{ items: Trial[] }>(`/v1/sweeps/${id}/trials?limit=1000`);
  expect(trials.length, what).toBe(plan.trials);
  const rows = await get<{ items: LeaderboardRow[] }>(`/v1/leaderboard?sweep=${id}&limit=1000`);
  expect(rows.items.length, what).toBe(plan.trials);
  await get(`/v1/sweeps/${id}/stages?limit=1000`);
  await get(`/v1/leaderboard?sweep=${id}&group=configuration&limit=1000`);
  for (const trial of trials.slice(0, 2)) {
    await get(`/v1/trials/${trial.id}`);
    await get(`/v1/trials/${trial.id}/metrics`);
  }
};

test(`${sweeps} valid sweeps of seed ${seed}`, { timeout: 7_200_000 }, async () => {
  const random = createRandom(seed);
  let [drawn, run] = [0, 0];
  for (; run < sweeps; drawn++) {
    const { what, body } = randomSweep(random);
    const planned = await post('/v1/sweeps/plan', body);
    expect(planned.statusCode, `${what} → ${planned.body}`).toBeLessThan(500);
    if (planned.statusCode !== 200) continue;
    const plan = planned.json<Plan>();
    // The stages of a search that learns depend on its outcomes: `npm run chaos -- --search` runs those.
    if (plan.search !== undefined) continue;
    if (countStages(plan) > maxStages || plan.epochs.needed > maxEpochs) continue;
    const created = await post('/v1/sweeps', body);
    expect(created.statusCode, `${what} → ${created.body.slice(0, 300)}`).toBe(201);
    await drain(api.db);
    await expectCompleted(created.json<SweepDetail>().id, plan, what);
    const again = (await post('/v1/sweeps/plan', body)).json<Plan>();
    expect(again.epochs.needed, what).toBe(0);
    for (const { total, cached } of Object.values(again.stages)) expect(cached, what).toBe(total);
    run++;
  }
  if (isLong) console.log(`${run} sweeps run of ${drawn} drawn`);
});
