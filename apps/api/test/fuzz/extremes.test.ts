/**
 * Every leaf of every body, address and header takes its extremes alone, then pairs of leaves do. Wild extremes suit no schema; mild ones are
 * the bounds of the schema, so they reach the code behind it. No answer may be a fault of the service or long, and a sweep writes the rows of
 * its plan. Another client asks small questions meanwhile.
 */
import type { Plan } from '@funnel/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { oneTrial } from '../build.ts';
import { type Operation, resolve } from './api-document.ts';
import { type FuzzedApi, startFuzzedApi } from './fuzzed-api.ts';
import { type Change, describeChange, type Kind, mildChanges, randomChange, wildChanges } from './leaves.ts';
import { createRandom, isLong, seed } from './strange-values.ts';
import { countStages, submitAndDelete } from './submit-and-delete.ts';

const pairs = Number(process.env.FUNNEL_FUZZ_PAIRS ?? 150);
/** The share of the extremes that are sent alone: all of them with 20,000 pairs. */
const share = Math.min(1, pairs / 20_000);

/** Sweeps of up to this many stages are also submitted. */
const maxSubmitted = 60;

let fuzzed: FuzzedApi;
beforeAll(async () => {
  fuzzed = await startFuzzedApi();
}, 600_000); // a start takes minutes on a machine that is busy with other work
afterAll(() => fuzzed?.close());

const random = createRandom(seed);

/** Sends the request. If it plans a small sweep, also submits it. Resolves to whether it was accepted. */
const attempt = async (operation: Operation, changes: readonly Change[]): Promise<boolean> => {
  const what = changes.map(describeChange).join(', ');
  const request = fuzzed.requestWith(operation, changes);
  const { status, body } = await fuzzed.client.send(operation.id, request, what);
  if (operation.id === 'planSweep' && status === 200) {
    const plan = JSON.parse(body) as Plan;
    if (countStages(plan) <= maxSubmitted) await submitAndDelete(fuzzed, request, plan, what);
  }
  return status < 400;
};

/** Requests between two reports. A long run shows in time what it finds. */
const reported = 1000;

/** Checks the other client, and prints what the API did since the last report. */
const report = async (during: string): Promise<void> => {
  const { requests, failed, slowestHealthMs, slowestLeaderboardMs } = await fuzzed.neighbour.report();
  expect(failed).toBe(0);
  expect(requests).toBeGreaterThan(0);
  const { slowest, counts } = fuzzed.client.takeReport();
  const { longestGapMs, gapMs999, memoryBytes, maxMemoryBytes } = await fuzzed.api.report();
  if (!isLong) return;
  const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  console.log(`${during}:`);
  console.table(counts);
  console.log(`slowest answer: ${slowest.ms} ms to ${slowest.what}`);
  console.log(`event loop of the API: longest gap ${longestGapMs} ms, 99.9 % below ${gapMs999} ms`);
  console.log(
    `another client: ${requests} requests, slowest /healthz ${slowestHealthMs} ms, slowest leaderboard ${slowestLeaderboardMs} ms`,
  );
  console.log(`memory of the API: ${megabytes(memoryBytes)}, at most ${megabytes(maxMemoryBytes)}`);
};

test('every leaf takes its extremes alone', { timeout: 14_400_000 }, async () => {
  const all = fuzzed.operations.flatMap(({ operation, leaves }) =>
    leaves
      .flatMap((leaf) => [...wildChanges(leaf), ...mildChanges(leaf, resolve)])
      .map((change) => ({ operation, change })),
  );
  expect(all.length).toBeGreaterThan(10_000);
  const chosen = all.filter(() => random.chance(share));
  for (const [i, { operation, change }] of chosen.entries()) {
    await attempt(operation, [change]);
    if ((i + 1) % reported === 0) await report(`${i + 1} of ${chosen.length} extremes alone`);
  }
  await report(`the last of ${chosen.length} extremes alone`);
});

const kinds: readonly (readonly [Kind, Kind])[] = [
  ['wild', 'wild'],
  ['mild', 'wild'],
  ['mild', 'mild'],
];
/** The share of pairs that change a sweep. The others change any operation. */
const sweepShare = 0.75;
/** With fewer accepted pairs of mild values, the fuzz does not reach the code behind the schemas. */
const minAccepted = 0.2;

test(`${pairs} pairs of seed ${seed}`, { timeout: 14_400_000 }, async () => {
  const planning = fuzzed.operations.find(({ operation }) => operation.id === 'planSweep')!;
  const accepted = new Map<string, { pairs: number; accepted: number }>();
  for (let i = 0; i < pairs; i++) {
    const kind = kinds[i % kinds.length]!;
    const { operation, leaves } = random.chance(sweepShare) ? planning : random.pick(fuzzed.operations);
    const changes = kind.map((one) => randomChange(random, leaves, one, resolve));
    const isAccepted = await attempt(operation, changes);
    const key = kind.join(' × ');
    const count = accepted.get(key) ?? { pairs: 0, accepted: 0 };
    accepted.set(key, { pairs: count.pairs + 1, accepted: count.accepted + Number(isAccepted) });
    if ((i + 1) % reported === 0) await report(`${i + 1} of ${pairs} pairs`);
  }
  await report(`the last of ${pairs} pairs`);
  if (isLong) console.table(Object.fromEntries(accepted));
  const mild = accepted.get('mild × mild')!;
  expect(mild.accepted / mild.pairs).toBeGreaterThan(minAccepted);
});

const { space } = oneTrial;
const range = { min: 1, max: 64 };
/** The products of a sweep: just inside the limit, and just beyond it. */
const products = [
  {
    name: 'queries of an attack',
    isLarge: false,
    base: { attacks: [{ attack: 'pgd-linf', steps: 100_000, restarts: 1000 }] },
    // 1,000 × 100,001 queries for each image; the limit is 10¹¹.
    inside: { dataset: { name: 'glyphs', train: 600, test: 1000, attack: 999 } },
    beyond: { dataset: { name: 'glyphs', train: 600, test: 1000, attack: 1000 } },
  },
  {
    name: 'draws × seeds',
    isLarge: true,
    base: { space: { ...space, gamma: range } },
    inside: { search: { strategy: 'random', trials: 50_000 }, seeds: 2 },
    beyond: { search: { strategy: 'random', trials: 50_001 }, seeds: 2 },
  },
  {
    name: 'points × seeds',
    isLarge: true,
    base: { seeds: 10_000 },
    inside: { space: { ...space, gamma: { ...range, count: 10 } } },
    beyond: { space: { ...space, gamma: { ...range, count: 11 } } },
  },
];

test.each(products.filter(({ isLarge }) => isLong || !isLarge))(
  'the largest number of $name is planned, and one more is refused',
  async ({ base, inside, beyond }) => {
    const plan = (change: object) =>
      fuzzed.client.send(
        'planSweep',
        {
          method: 'POST',
          url: '/v1/sweeps/plan',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ ...oneTrial, ...base, ...change }),
        },
        JSON.stringify(change),
      );
    const planned = await plan(inside);
    expect(planned.status, planned.body).toBe(200);
    expect(JSON.parse((await plan(beyond)).body)).toMatchObject({ code: 'SWEEP_TOO_LARGE' });
  },
);
