import { afterAll, beforeAll, expect, test } from 'vitest';
import { build, type TestApp } from './build.ts';

let api: TestApp;
beforeAll(async () => {
  api = await build();
});
afterAll(() => api.close());

const post = (url: string, payload: object) => api.app.inject({ method: 'POST', url, payload });
const audited = async () => (await api.app.inject('/v1/audit')).json().items;

test('planning a collection changes nothing; collecting is in the audit log with its policy', async () => {
  const plan = await post('/v1/garbage/plan', { keepBest: 2 });
  expect(plan.statusCode).toBe(200);
  expect(plan.json()).toEqual({
    trials: 0,
    checkpoints: 0,
    blobs: 0,
    datasets: 0,
    bytes: 0,
    sweeps: [],
    done: true,
  });
  expect(await audited()).toEqual([]);
  expect((await post('/v1/garbage', { keepBest: 2 })).json()).toEqual(plan.json());
  expect(await audited()).toMatchObject([
    {
      actor: 'local',
      action: 'collectGarbage',
      details: {
        policy: { keepDays: 30, keepBest: 2, keepSweeps: [] },
        bytes: 0,
      },
    },
  ]);
});

test.each([
  ['keepDays', { keepDays: -1 }],
  ['keepBest', { keepBest: 1.5 }],
  ['metric', { metric: 'luck' }],
  ['keepDayz', { keepDayz: 1 }],
])('a policy with a wrong %s is refused by name', async (name, policy) => {
  const response = await post('/v1/garbage', policy);
  expect(response.json()).toMatchObject({ status: 400, code: 'INVALID_REQUEST' });
  expect(JSON.stringify(response.json().issues)).toContain(name);
});
