/** The same laws with real training: tfjs on wasm, small networks on generated digits. */
import type { SweepInput } from '@funnel/contracts';
import { engineVersion } from '@funnel/engine/engine-version';
import { expect, it } from 'vitest';
import { one, openTestDatabase, results, runningStage, submit, sweepEnded, worker } from './fixtures.ts';

const patience = 80_000;

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

it('trains and attacks to the same bits whether or not its trainers are killed on the way', async () => {
  const calm = await openTestDatabase();
  await sweepEnded(calm, await startTiny(calm), patience);

  const stormy = await openTestDatabase();
  const sweepId = await submit(stormy, tiny, engineVersion);
  const running = await worker(stormy, { standIn: undefined });
  await runningStage(stormy);
  for (const pid of running.trainers()) process.kill(pid, 'SIGKILL');
  await sweepEnded(stormy, sweepId, patience);
  expect(
    await one(stormy, `SELECT 1 AS killed FROM attempts WHERE error_code = 'TRAINER_KILLED'`),
  ).toBeTruthy();
  expect(await results(stormy)).toEqual(await results(calm));
}, 180_000);

const startTiny = async (db: Awaited<ReturnType<typeof openTestDatabase>>): Promise<string> => {
  const sweepId = await submit(db, tiny, engineVersion);
  await worker(db, { standIn: undefined });
  return sweepId;
};
