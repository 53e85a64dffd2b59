/** Defences that reject images: a real worker trains and attacks them, then API and command line show the results. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StartedApi, startApi } from '@funnel/api';
import { createClient } from '@funnel/client';
import {
  type EvaluationSummary,
  engineVersion,
  type LeaderboardRow,
  type SweepDetail,
} from '@funnel/contracts';
import { createDb } from '@funnel/db';
import { createTestDatabase, type TestDatabase } from '@funnel/db/testing';
import { type RunningWorker, startWorker } from '@funnel/worker';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { funnel } from './funnel.ts';

const logger = pino({ level: 'silent' });
const home = mkdtempSync(join(tmpdir(), 'funnel-rejecting-'));
let database: TestDatabase;
let api: StartedApi;
let worker: RunningWorker;

beforeAll(async () => {
  database = await createTestDatabase();
  const databaseUrl = database.url;
  api = await startApi({ databaseUrl, port: 0, engineVersion, logger });
  worker = await startWorker({ databaseUrl, slots: 1, backend: 'wasm', log: logger });
});
afterAll(async () => {
  await worker?.stop();
  await api?.close();
  await database?.drop();
  rmSync(home, { recursive: true });
});

/** A small sweep whose defences accept most images. Both thresholds are low, so that the defences reject clean images too. */
const sweep = `
name: rejecting
recipes: [magnet, detector]
dataset: { name: glyphs, train: 384, test: 64, attack: 6 }
space:
  filters: 4-8
  latent: 16
  batchSize: 32
  initialiseEpochs: 8
  reformerRate: 5e-3
  classifierEpochs: 8
  classifierRate: 5e-3
  trainingSteps: 4
  trainingEpsilon: 0.2
  detectorEpochs: 2
  dropRate: 0.3
  falsePositiveRate: 0.3
attacks:
  - { attack: pgd-linf, epsilon: 0.2, steps: 6 }
  - { attack: pgd-linf, epsilon: 0.2, steps: 6, against: classifier }
objective: { attack: pgd-linf, metric: robustAccuracy }
`;
const classes = 10;

const run = async (...args: string[]): Promise<string> => {
  const { status, stdout, stderr } = await funnel(args, { env: { FUNNEL_URL: api.url, FUNNEL_HOME: home } });
  expect(status, stderr).toBe(0);
  return stdout;
};

type Submitted = { readonly sweep: SweepDetail; readonly leaderboard: readonly LeaderboardRow[] };

const submit = async (): Promise<Submitted> => {
  const file = join(home, 'sweep.yaml');
  writeFileSync(file, sweep);
  return JSON.parse(await run('submit', file, '--watch', '--json'));
};

const count = (flags: readonly boolean[]): number => flags.filter(Boolean).length;

it('are attacked in sweeps, and every view of their results shows the rejected shares', async () => {
  const { sweep, leaderboard } = await submit();
  expect(sweep.trials).toEqual({ completed: 2 });
  expect(leaderboard).toHaveLength(4); // two attacks of one name on each

  const client = createClient({ url: api.url });
  const trials = await Promise.all(
    [...new Set(leaderboard.map(({ trialId }) => trialId))].map((id) => client.getTrial({ params: { id } })),
  );
  const db = createDb(database.url);
  const { rows } = await db.pool.query<{ stage_id: string; summary: EvaluationSummary }>(
    'SELECT stage_id, summary FROM evaluations',
  );
  await db.close();
  const stored = new Map(rows.map((row) => [row.stage_id, row.summary]));

  for (const row of leaderboard) {
    const { evaluations } = trials.find(({ id }) => id === row.trialId)!;
    const { summary } = evaluations.find(({ settings }) => settings.against === row.settings.against)!;
    expect(row).toMatchObject({
      rejectedClean: summary.rejectedClean,
      rejectedAttacked: summary.rejectedAttacked,
    });
  }
  for (const trial of trials) {
    const [adaptive, oblivious] = trial.evaluations;
    expect(oblivious!.settings).toEqual({ ...adaptive!.settings, against: 'classifier' });
    for (const { stage, summary } of trial.evaluations) {
      expect(summary).toEqual(stored.get(stage));
      const records = await client.getImages({ params: { id: trial.id, stage } });
      const rejectedClean = count(
        records.predicted.map((label, i) => label === classes && !records.correct[i]),
      );
      expect(summary.rejectedClean).toBe(rejectedClean / summary.images);
      expect(summary.attempted).toBe(count(records.correct));
      // A rejected image counts as defended, so it is among the images without a success.
      const rejectedAttacked = summary.rejectedAttacked! * summary.attempted;
      expect(rejectedAttacked).toBeLessThanOrEqual(summary.attempted - summary.successes);
      expect(count(records.success)).toBe(summary.successes);
      expect(records.predicted.filter((label, i) => records.success[i] && label === classes)).toEqual([]);
    }
    expect(adaptive!.summary.rejectedClean).toBe(oblivious!.summary.rejectedClean);
    expect(adaptive!.summary.attempted).toBe(oblivious!.summary.attempted);
  }
  const summaries = trials.flatMap(({ evaluations }) => evaluations.map(({ summary }) => summary));
  for (const summary of summaries) expect(summary.rejectedClean).toBeGreaterThan(0);
  // The detector rejects more images of an attack that knows only the classifier, and such an attack succeeds less often.
  const [seen, unseen] = trials.find(({ recipe }) => recipe === 'detector')!.evaluations;
  expect(unseen!.summary.rejectedAttacked).toBeGreaterThan(seen!.summary.rejectedAttacked!);
  expect(unseen!.summary.successes).toBeLessThan(seen!.summary.successes);

  const ids = trials.map(({ id }) => id);
  const [shown, compared, exported] = await Promise.all([
    run('show', ids[0]!),
    run('compare', ...ids),
    run('export', 'evaluations', '--sweep', sweep.id, '--format', 'json'),
  ]);
  expect(shown).toMatch(/rejected clean\s+rejected attacked/);
  expect(shown).toMatch(/^pgd-linf\s.*\sepsilon=0\.2 steps=6 against=classifier$/m);
  expect(compared).toMatch(/^rejected clean\s+\d+\.\d %\s+\d+\.\d %$/m);
  expect(compared).toMatch(/^rejected: pgd-linf epsilon=0\.2 steps=6 against=classifier\s+\d+\.\d %\s+\d/m);
  const table: readonly EvaluationSummary[] = JSON.parse(exported);
  expect(table.map((row) => row.rejectedAttacked).sort()).toEqual(
    summaries.map((summary) => summary.rejectedAttacked).sort(),
  );
}, 120_000);
