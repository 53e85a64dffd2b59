/** The laws of a worker with real training: tfjs on wasm, small networks on generated digits. */
import { engineVersion, type SweepInput } from '@funnel/contracts';
import { expect, it } from 'vitest';
import { one, openTestDatabase, results, runningStage, submit, sweepEnded, worker } from './fixtures.ts';

const timeoutMs = 80_000;

const tiny: SweepInput = {
  name: 'tiny',
  recipes: ['funn'],
  dataset: { name: 'glyphs', train: 256, test: 64, attack: 8 },
  space: {
    filters: '4-8',
    latent: 8,
    noise: 4,
    batchSize: 32,
    initialiseEpochs: 2,
    optimiseEpochs: 6,
    optimiseAttackerRate: 1e-3,
    optimiseDefenderRate: 1e-3,
    classifierEpochs: 2,
  },
  attacks: [{ attack: 'fgsm', search: false, epsilon: 0.1 }],
};

it('gives the same bits, even when its trainers are killed in the middle of training', async () => {
  const undisturbed = await openTestDatabase();
  await sweepEnded(undisturbed, await startTiny(undisturbed), timeoutMs);

  const disturbed = await openTestDatabase();
  const sweepId = await submit(disturbed, tiny, engineVersion);
  const running = await worker(disturbed, { simulation: undefined });
  await runningStage(disturbed);
  for (const pid of running.trainers()) process.kill(pid, 'SIGKILL');
  await sweepEnded(disturbed, sweepId, timeoutMs);
  expect(
    await one(disturbed, `SELECT 1 AS killed FROM attempts WHERE error_code = 'TRAINER_KILLED'`),
  ).toBeTruthy();
  expect(await results(disturbed)).toEqual(await results(undisturbed));
}, 180_000);

/** Enough training for a classifier that gets most digits right: images that it gets wrong are not attacked. */
const learning: SweepInput['space'] = {
  filters: '8-16',
  latent: 32,
  noise: 4,
  batchSize: 32,
  initialiseEpochs: 1,
  initialiseDefenderRate: 2e-3,
  optimiseEpochs: 1,
  classifierEpochs: 12,
  classifierRate: 4e-3,
};

it('attacks every trial with images made on the networks of other trials', async () => {
  const db = await openTestDatabase();
  const attack = { attack: 'transfer-linf', epsilon: 0.3, steps: 5, surrogates: 2 } as const;
  const sweepId = await submit(
    db,
    {
      ...tiny,
      dataset: { ...tiny.dataset, train: 768, attack: 20 },
      space: learning,
      seeds: 3,
      attacks: [attack],
    },
    engineVersion,
  );
  await worker(db, { simulation: undefined });
  await sweepEnded(db, sweepId, timeoutMs);
  const { rows } = await db.pool.query<{
    surrogates: string[];
    parent: string;
    queries: number;
    ids: string[];
    fooled: number;
  }>(
    `SELECT s.surrogates, s.parent, (e.summary ->> 'meanQueries')::float8 AS queries, (e.summary ->> 'successes')::int AS fooled,
       ARRAY(SELECT d ->> 'id' FROM jsonb_array_elements(e.diagnostics) AS d) AS ids
     FROM stages s JOIN evaluations e ON e.stage_id = s.id`,
  );
  const classifiers = rows.map(({ parent }) => parent).sort();
  expect(rows).toHaveLength(3);
  for (const { surrogates, parent, queries, ids, fooled } of rows) {
    expect(surrogates).toEqual(classifiers.filter((id) => id !== parent));
    expect(queries).toBeGreaterThan(0); // at most one query of the attacked network per surrogate
    expect(queries).toBeLessThanOrEqual(2);
    expect(fooled).toBeGreaterThan(0);
    expect(ids).toEqual(expect.arrayContaining(['H1', 'H3', 'H18']));
  }
  expect(await one(db, `SELECT DISTINCT status FROM trials`)).toEqual({ status: 'completed' });
}, 180_000);

const startTiny = async (db: Awaited<ReturnType<typeof openTestDatabase>>): Promise<string> => {
  const sweepId = await submit(db, tiny, engineVersion);
  await worker(db, { simulation: undefined });
  return sweepId;
};
