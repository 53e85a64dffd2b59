/** Searches on a running service: a real database, the API, and a worker with simulated trainers, whose results depend on their inputs alone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StartedApi, startApi } from '@funnel/api';
import {
  engineVersion,
  type LeaderboardRow,
  type Plan,
  type SearchDecision,
  type SearchState,
  type Sweep,
  type SweepDetail,
  type Trial,
  wilsonInterval,
} from '@funnel/contracts';
import { createTestDatabase, type TestDatabase } from '@funnel/db/testing';
import { type RunningWorker, startWorker } from '@funnel/worker';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { funnel, type Ran } from './funnel.ts';

const logger = pino({ level: 'silent' });
const home = mkdtempSync(join(tmpdir(), 'funnel-cli-search-'));
let database: TestDatabase;
let api: StartedApi;
let worker: RunningWorker;

beforeAll(async () => {
  database = await createTestDatabase();
  const databaseUrl = database.url;
  // API and worker decide for searches, so both must have the same version of the engine.
  api = await startApi({ databaseUrl, port: 0, engineVersion, logger });
  worker = await startWorker({
    databaseUrl,
    slots: 2,
    maxAttempts: 1,
    simulation: { stepMilliseconds: 0 },
    log: logger,
  });
});
afterAll(async () => {
  await worker?.stop();
  await api?.close();
  await database?.drop();
  rmSync(home, { recursive: true });
});

const run = (...args: string[]): Promise<Ran> =>
  funnel(args, { env: { FUNNEL_URL: api.url, FUNNEL_HOME: home } });

const json = async <T>(...args: string[]): Promise<T> => {
  const { status, stdout, stderr } = await run(...args, '--json');
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
};

const sweepFile = (name: string, lines: readonly string[]): string => {
  const path = join(home, `${name}.yaml`);
  writeFileSync(path, [`name: ${name}`, ...lines].join('\n'));
  return path;
};
const common = [
  'dataset: { name: glyphs, train: 128, test: 20, attack: 20 }',
  'attacks: [{ attack: fgsm, search: false, epsilon: 0.1 }]',
  'objective: { attack: fgsm, metric: robustAccuracy }',
];
const space = (others: string) =>
  `space: { gamma: { min: 1, max: 50, scale: log }, beta: { min: 0.01, max: 0.1, scale: log }, initialiseEpochs: 1, classifierEpochs: 1${others} }`;

type Decided = { readonly search: SearchState; readonly decisions: readonly SearchDecision[] };

it('TPE: a plan, the same decisions in two sweeps and in one that is extended, and why a trial was made', {
  timeout: 240_000,
}, async () => {
  const file = sweepFile('tpe', [
    ...common,
    space(', optimiseEpochs: 1'),
    'search: { strategy: tpe, trials: 14 }',
  ]);
  const plan = await json<Plan>('plan', file);
  expect(plan.trials).toBe(14);
  expect(plan.search).toMatchObject({
    configurations: 14,
    decisions: 14,
    rungs: [],
    epochsWithoutPromotion: null,
  });
  expect((await run('plan', file)).stdout).toMatch(
    /^A search of 14 configurations: at most 14 decisions and 14 trials\n/,
  );

  const watched = await run('submit', file, '--watch', '--key', 'tpe');
  expect(watched.status, watched.stderr).toBe(0);
  expect(watched.stderr).toMatch(/submitted: at most 14 trials, /);
  expect(watched.stderr).toMatch(
    /^tpe best so far: decision \d+, .* \d+\.\d % \(\d+\.\d–\d+\.\d\); 20 images; too few$/m,
  );
  const { id } = await json<SweepDetail>('submit', file, '--key', 'tpe');
  const { search, decisions } = await json<Decided>('decisions', id);
  expect(search).toMatchObject({
    ended: 'trials',
    configurations: 14,
    proposed: 14,
    decisions: 14,
    rungs: [],
  });
  expect(decisions.map(({ number }) => number)).toEqual([...Array(14).keys()]);
  const values = decisions.map(({ outcome }) => Number(outcome.values[0]));
  expect(search.best).toEqual({
    decision: values.indexOf(Math.max(...values)),
    values: [Math.max(...values)],
    evidence: [{ interval: wilsonInterval(20 * Math.max(...values), 20), images: 20, seeds: 1 }],
    verdict: 'too-few',
  });
  expect((await run('show', id)).stdout).toMatch(
    /\nsearch {4}tpe: 14 of 14 configurations; it decides no more: it has all of its configurations\n/,
  );
  expect((await run('ls')).stdout).toMatch(/ 14 of 14, decides no more /);

  const table = (await run('decisions', id)).stdout;
  const shorter = await json<SweepDetail>(
    'submit',
    file,
    '--set',
    'name=shorter',
    '--set',
    'search.trials=11',
  );
  await json('watch', shorter.id);
  const begun = (await run('decisions', shorter.id)).stdout;
  expect(begun.trimEnd().split('\n')).toHaveLength(12);
  await json<Sweep>('extend', shorter.id, '--trials', '3');
  await json('watch', shorter.id);
  expect((await run('decisions', shorter.id)).stdout).toBe(table);

  const trials = await json<Trial[]>('trials', id);
  expect(trials.map(({ decision }) => decision)).toEqual([...Array(14).keys()]);
  expect((await run('show', trials[12]!.id)).stdout).toMatch(
    /\ndecision 12\. One of the first points, .*\n$/,
  );
});

it('Hyperband: rungs, the leaderboard by rung, and what the plan said', async () => {
  const file = sweepFile('hyperband', [
    ...common,
    space(''),
    'search: { strategy: hyperband, sampler: random, trials: 17, fidelity: { hyperparameter: optimiseEpochs, min: 1, max: 9 } }',
  ]);
  const { search: planned } = await json<Plan>('plan', file);
  // Brackets of 9, 3, 1 from one epoch, 5, 1 from three, and 3 of nine.
  const rungs = [
    { epochs: 1, units: 9 },
    { epochs: 3, units: 8 },
    { epochs: 9, units: 5 },
  ];
  expect(planned).toMatchObject({ configurations: 17, decisions: 22, rungs });
  const { id } = await json<SweepDetail>('submit', file);
  await json('watch', id);
  const { search, decisions } = await json<Decided>('decisions', id);
  expect(search.rungs).toEqual(rungs.map((rung) => ({ ...rung, ended: rung.units })));
  expect(decisions.filter(({ source }) => source === 'promotion')).toHaveLength(5);

  const rows = await json<LeaderboardRow[]>('best', '--sweep', id);
  // Each configuration once: 17 less those that went on.
  expect(rows.map(({ rung }) => rung)).toEqual([
    ...Array(5).fill(2),
    ...Array(6).fill(1),
    ...Array(6).fill(0),
  ]);
  expect(rows.filter(({ rank }) => rank === 1).length).toBeGreaterThanOrEqual(3);
  expect(await json('best', '--sweep', id, '--all-rungs', '--limit', '50')).toHaveLength(22);
  expect((await run('best', '--sweep', id)).stdout).toContain(
    'Each configuration stands at its highest rung',
  );
});

it('takes a point, and refuses one that is not in its space', async () => {
  const file = sweepFile('tried', [
    ...common,
    space(', optimiseEpochs: 1').replace('initialiseEpochs: 1', 'initialiseEpochs: 2000'),
    'search: { strategy: tpe, trials: 20 }',
  ]);
  const { id } = await json<SweepDetail>('submit', file);
  const state = await json<SearchState>('try', id, '--set', 'gamma=5', '--set', 'beta=0.05');
  expect(state.waitingPoints).toEqual([expect.objectContaining({ gamma: 5, beta: 0.05 })]);
  const refused = await run('try', id, '--set', 'gamma=500', '--set', 'beta=0.05');
  expect([refused.status, refused.stderr]).toEqual([3, expect.stringContaining('gamma')]);
  await run('cancel', id);
  expect((await run('extend', id, '--trials', '1')).status).toBe(3);
});
