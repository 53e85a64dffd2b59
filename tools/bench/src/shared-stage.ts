/** `bench shared-stage`: times the claim and the end of a stage that all trials of a very large sweep share, and then those of ordinary stages. */
import { engineVersion, SweepDefinition, storedDefinition } from '@funnel/contracts';
import {
  type ClaimedStage,
  claimStage,
  completeStage,
  continueActions,
  continuePropagation,
  createDb,
  type Db,
  getBlobs,
  recordCheckpoint,
  registerWorker,
  submitSweep,
} from '@funnel/db';
import { buildPlan, outlineSweep } from '@funnel/planner';
import { createSimulatedTrainer } from '@funnel/worker';
import { z } from 'zod';
import { readOptions } from './options.ts';
import { untilInterrupted } from './processes.ts';
import { openTables } from './service.ts';
import { percentile } from './timing.ts';

export const sharedStageUsage = `shared-stage [--trials 100000] [--stages 400]
  Submits a search over γ, whose trials share one initialisation, on a private PostgreSQL. Times the claim and the completion of this stage with
  their batches, and then the claims and completions of so many ordinary stages.`;

const count = (standard: number) => z.coerce.number().pipe(z.int().min(1)).default(standard);
const Options = z.strictObject({ trials: count(100_000), stages: count(400) });

const workerId = 'bench';
const trainer = createSimulatedTrainer({});

const submit = async (db: Db, trials: number): Promise<void> => {
  const definition = storedDefinition(
    SweepDefinition.parse({
      name: 'shared stage',
      dataset: { name: 'glyphs', train: 100, test: 20, attack: 4 },
      space: { gamma: { min: 1, max: 64 }, initialiseEpochs: 1, optimiseEpochs: 1, classifierEpochs: 1 },
      search: { strategy: 'random', trials },
      attacks: ['fgsm'],
    }),
  );
  const outline = outlineSweep(definition, engineVersion);
  await submitSweep(db, {
    definition,
    stages: outline.stages,
    buildPlan: (known) => buildPlan(outline, known),
  });
  while (await continueActions(db));
};

/** Milliseconds of one call. */
const time = async <T>(act: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }> => {
  const start = performance.now();
  const result = await act();
  return { result, ms: performance.now() - start };
};

const claim = (db: Db) =>
  time(() => claimStage(db, { workerId, leaseSeconds: 600, backend: 'simulated', device: 'none' }));

/** Stores the checkpoints of a simulated training. Resolves to the milliseconds of the completion. */
const finish = async (db: Db, claimed: ClaimedStage): Promise<number> => {
  const { stageId, fencingToken, spec, start } = claimed;
  const { networks = {}, moments = null } = start?.manifest ?? {};
  const hashes = [...Object.values(networks), ...(moments ? [moments] : [])].map(({ blob }) => blob);
  const end = await trainer.run(
    { spec, start: start && { ...start, blobs: await getBlobs(db, hashes) }, surrogates: [] },
    {
      signal: new AbortController().signal,
      onProgress: () => {},
      onCheckpoint: async ({ manifest, blobs }, metrics, perClass) => {
        await recordCheckpoint(db, { stageId, fencingToken, manifest, blobs, metrics, perClass });
      },
    },
  );
  const evaluation = end.status === 'completed' ? (end.evaluation ?? undefined) : undefined;
  return (await time(() => completeStage(db, { stageId, fencingToken, evaluation }))).ms;
};

/** Does all batches. */
const propagate = async (db: Db): Promise<string> => {
  const batches: number[] = [];
  for (;;) {
    const { result, ms } = await time(() => continuePropagation(db));
    if (!result) break;
    batches.push(ms);
  }
  const sum = batches.reduce((total, ms) => total + ms, 0);
  return `${batches.length} batches in ${(sum / 1000).toFixed(1)} s, the slowest ${Math.round(Math.max(0, ...batches))} ms`;
};

const textOf = (times: readonly number[]): string =>
  `p50 ${percentile(times, 0.5).toFixed(1)}, p99 ${percentile(times, 0.99).toFixed(1)}, max ${Math.max(...times).toFixed(1)} ms`;

const expectStage = (stage: ClaimedStage | null): ClaimedStage => {
  if (stage === null) throw new Error('Expected a stage that is ready, but got none');
  return stage;
};

const measure = async (
  { trials, stages }: z.infer<typeof Options>,
  onEnd: (end: () => Promise<void>) => void,
): Promise<void> => {
  const tables = await openTables();
  onEnd(tables.close);
  const db = createDb(await tables.create('shared'), { max: 4 });
  onEnd(db.close);
  await registerWorker(db, {
    ...{
      id: workerId,
      host: 'bench',
      pid: process.pid,
      version: 'bench',
      backend: 'simulated',
      device: 'none',
    },
    slots: 1,
  });
  const { ms } = await time(() => submit(db, trials));
  console.log(`submitted ${trials} trials in ${(ms / 1000).toFixed(1)} s`);
  const first = await claim(db);
  console.log(`claim of the shared stage: ${Math.round(first.ms)} ms; ${await propagate(db)}`);
  const completion = await finish(db, expectStage(first.result));
  console.log(`its completion: ${Math.round(completion)} ms; then, while other stages run:`);
  const batches = propagate(db);
  const claims: number[] = [];
  const completions: number[] = [];
  const runStages = async (): Promise<void> => {
    for (let i = 0; i < stages; i++) {
      const { result, ms } = await claim(db);
      claims.push(ms);
      completions.push(await finish(db, expectStage(result)));
    }
  };
  await runStages();
  console.log(`  ${stages} stages, claim: ${textOf(claims)}; complete: ${textOf(completions)}`);
  console.log(`  ${await batches}`);
  claims.length = completions.length = 0;
  await runStages();
  console.log(`after the batches: claim: ${textOf(claims)}; complete: ${textOf(completions)}`);
};

export const sharedStage = async (args: readonly string[]): Promise<void> => {
  const options = readOptions(Options, args);
  await untilInterrupted((onEnd) => measure(options, onEnd));
};
