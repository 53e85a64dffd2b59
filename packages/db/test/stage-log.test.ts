/** The logs of a stage and of a worker. */
import { routes } from '@funnel/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  claimStage,
  type Db,
  failAttempt,
  readStageLog,
  readWorkerLog,
  registerWorker,
} from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';
import { claim, finish, record } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
  await registerWorker(db, {
    ...{ id: 'worker', host: 'here', pid: 1, version: '0' },
    ...{ backend: 'wasm', device: 'cpu', slots: 1 },
  });
});
afterAll(() => db.close());

it('has attempts, errors and epochs in their order, each epoch once', async () => {
  await submit(db, { seeds: [1], space: { initialiseEpochs: 2 } });
  const first = (await claim(db))!;
  const { stageId } = first;
  await record(db, first, { epoch: 1, step: 0 });
  await record(db, first, { epoch: 1, step: 2 });
  await failAttempt(db, {
    ...{ stageId, fencingToken: first.fencingToken, maxAttempts: 3 },
    ...{ code: 'TRAINER_DIED', message: 'SIGKILL', stack: 'Error: SIGKILL\n    at here' },
  });
  await db.pool.query('UPDATE stages SET ready_at = now() WHERE id = $1', [stageId]);
  const second = (await claimStage(db, { workerId: 'worker', leaseSeconds: 60 }))!;
  expect(second.stageId).toBe(stageId);
  await finish(db, second);

  const items = await readStageLog(db, stageId);
  expect(routes.getStageLog.response.parse({ items })).toEqual({ items });
  expect(
    items.map(({ attempt, level, message }) => [attempt, level, message.replace(/ on worker.*/, '')]),
  ).toEqual([
    [1, 'info', 'began'],
    [null, 'info', 'epoch 1, attackerLoss 1.000, defenderLoss 2.000'],
    [1, 'error', 'ended: failed, 1 new epoch, TRAINER_DIED: SIGKILL'],
    [2, 'info', 'began'],
    [null, 'info', 'epoch 2, attackerLoss 0.5000, defenderLoss 1.000'],
    [2, 'info', 'ended: completed, 1 new epoch'],
  ]);
  expect(items[0]?.message).toContain('worker');
  expect(items[2]?.detail).toContain('at here');
});

it('is empty before the first attempt; an unknown stage is NOT_FOUND', async () => {
  const { sweepId } = await submit(db, { seeds: [2] });
  const { rows } = await db.pool.query<{ stage_id: string }>(
    'SELECT stage_id FROM sweep_stages WHERE sweep_id = $1',
    [sweepId],
  );
  expect(await readStageLog(db, rows[0]!.stage_id)).toEqual([]);
  await expect(readStageLog(db, 'nothing')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('of a worker has its attempts at all stages with their errors; an unknown worker is NOT_FOUND', async () => {
  const one = {
    ...{ id: 'logged', host: 'here', pid: 2, version: '0' },
    ...{ backend: 'wasm', device: 'cpu', slots: 1 },
  };
  await registerWorker(db, one);
  expect(await readWorkerLog(db, 'logged')).toEqual([]);
  await submit(db, { seeds: [3], space: { initialiseEpochs: 1 } });
  const claimed = async () => (await claimStage(db, { workerId: 'logged', leaseSeconds: 60 }))!;
  const first = await claimed();
  await failAttempt(db, {
    ...{ stageId: first.stageId, fencingToken: first.fencingToken, maxAttempts: 3 },
    ...{ code: 'TRAINER_DIED', message: 'SIGKILL', stack: 'Error: SIGKILL' },
  });
  const second = await claimed();
  await finish(db, second);
  const items = await readWorkerLog(db, 'logged');
  expect(routes.getWorkerLog.response.parse({ items })).toEqual({ items });
  expect(
    items.map(({ stage, level, message }) => [stage, level, message.replace(/ on logged.*/, '')]),
  ).toEqual([
    [first.stageId, 'info', 'began'],
    [first.stageId, 'error', 'ended: failed, TRAINER_DIED: SIGKILL'],
    [second.stageId, 'info', 'began'],
    [second.stageId, 'info', expect.stringMatching(/^ended: completed, \d new epochs?$/)],
  ]);
  expect(items[1]).toMatchObject({ attempt: first.fencingToken, detail: 'Error: SIGKILL' });
  await expect(readWorkerLog(db, 'nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
