/** The newest code on a database with results of an older version. */
import { type Client, createClient } from '@funnel/client';
import type { StageSpec, SweepDetail, SweepInput, VersionChange } from '@funnel/contracts';
import { chainId, presentVersions, stageId } from '@funnel/planner';
import { expect, onTestFinished, test } from 'vitest';
// The simulated trainer of the database's tests.
import { drain } from '../../../packages/db/test/support/simulated-trainer.ts';
import { buildApp } from '../src/app.ts';
import { build, createFakeQueue, oneTrial, type TestApp } from './build.ts';

/** The service on the same database with this version of the engine. */
const serve = async ({ db }: TestApp, engineVersion: string): Promise<Client> => {
  const app = await buildApp({ db, queue: createFakeQueue(), engineVersion });
  onTestFinished(async () => void (await app.close()));
  return createClient({ url: await app.listen({ host: '127.0.0.1', port: 0 }) });
};

const openService = async (): Promise<TestApp> => {
  const api = await build();
  onTestFinished(api.close);
  return api;
};

/** The definition of `oneTrial`, as the client takes it. */
const body: SweepInput = { ...oneTrial, attacks: ['fgsm'] };

const run = async (client: Client, { db }: TestApp, name: string): Promise<SweepDetail> => {
  const { id } = await client.createSweep({ body: { ...body, name } });
  await drain(db);
  return client.getSweep({ params: { id } });
};

const change = (
  kind: VersionChange['kind'],
  method: string,
  part: VersionChange['part'],
  made = '1',
  now = '2',
) => ({
  ...{ kind, method, part, made, now },
});

test('says that an older engine made every stage, in the plan, the sweep, the leaderboard and the trial', async () => {
  const api = await openService();
  const older = await run(await serve(api, '1'), api, 'older');
  const client = await serve(api, '2');
  const all = [
    change('initialise', 'funn', 'engine'),
    change('optimise', 'funn', 'engine'),
    change('classify', 'funn', 'engine'),
    change('attack', 'fgsm', 'engine'),
  ];
  const plan = await client.planSweep({ body });
  expect(plan.madeAnew).toEqual(all);
  expect(plan.epochs).toMatchObject({ needed: 3, cached: 0 });

  const newer = await run(client, api, 'newer');
  expect(newer.plan.madeAnew).toEqual(all);
  // Now it has the stages of the present version too.
  expect(await client.planSweep({ body })).not.toHaveProperty('madeAnew');

  const { items } = await client.leaderboard({ query: { attack: 'fgsm' } });
  const versions = new Map(items.map((row) => [row.sweepId, row.older]));
  expect(versions).toEqual(
    new Map([
      [older.id, all],
      [newer.id, undefined],
    ]),
  );
  const trialOf = async (sweep: SweepDetail) => client.getTrial({ params: { id: `${sweep.id}-00000` } });
  expect((await trialOf(older)).older).toEqual(all);
  expect(await trialOf(newer)).not.toHaveProperty('older');
  const compared = await client.compare({ query: { trials: `${older.id}-00000,${newer.id}-00000` } });
  expect(compared.trials.map((trial) => trial.older)).toEqual([all, undefined]);
});

/** Gives the attack of the database the identity that it had when its checks had version 1. */
const ageAttack = async ({ db }: TestApp): Promise<void> => {
  const { rows } = await db.pool.query<StageSpec>("SELECT * FROM stages WHERE kind = 'attack'");
  const [stage] = rows;
  const chain = chainId(stage!, { ...presentVersions(stage!, '1'), checks: 1 });
  const values = `'${stageId(chain, 0)}' WHERE stage_id = '${stage!.id}'`;
  const tables = ['sweep_stages', 'trial_stages', 'attempts', 'evaluations', 'scores'];
  await db.pool.query(
    `BEGIN; SET LOCAL session_replication_role = replica;
     UPDATE stages SET id = '${stageId(chain, 0)}', chain = '${chain}' WHERE id = '${stage!.id}';
     ${tables.map((table) => `UPDATE ${table} SET stage_id = ${values};`).join(' ')} COMMIT`,
  );
};

test('uses the training again, and says that only the attacks are made anew', async () => {
  const api = await openService();
  const client = await serve(api, '1');
  const older = await run(client, api, 'older');
  await ageAttack(api);
  const changes = [change('attack', 'fgsm', 'checks')];
  const plan = await client.planSweep({ body });
  expect(plan.madeAnew).toEqual(changes);
  expect(plan.stages).toEqual({
    initialise: { total: 1, cached: 1 },
    optimise: { total: 1, cached: 1 },
    classify: { total: 1, cached: 1 },
    attack: { total: 1, cached: 0 },
  });
  const newer = await run(client, api, 'newer');
  for (const query of [{ attack: 'fgsm' }, { group: 'configuration' }, {}] as const) {
    const { items } = await client.leaderboard({ query });
    expect(new Map(items.map((row) => [row.sweepId, row.older]))).toEqual(
      new Map([
        [older.id, changes],
        [newer.id, undefined],
      ]),
    );
  }
});

test('says nothing of stages that are new, failed, or of another specification', async () => {
  const api = await openService();
  const first = await serve(api, '1');
  await first.createSweep({ body: { ...body, name: 'not run' } });
  const second = await serve(api, '2');
  expect(await second.planSweep({ body })).not.toHaveProperty('madeAnew');
  await drain(api.db);
  expect(await second.planSweep({ body: { ...body, seeds: [7] } })).not.toHaveProperty('madeAnew');
  expect((await second.planSweep({ body })).madeAnew).toHaveLength(4);
});
