/** The time left of a sweep counts the work that workers run before it. */
import { describe, expect, test } from 'vitest';
import { getSweep, listSweeps, reconcile, registerWorker, retireWorker } from '../src/index.ts';
import { type Rival, timeTo } from '../src/reads/turns.ts';
import { options } from './support/attempts.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, drain, finish, record } from './support/simulated-trainer.ts';
import { expectTime, submit } from './support/submit.ts';
import { query, wrongCounts } from './support/tables.ts';

shareDb();

const sweep = (id: string, more: Partial<Rival>): Rival => ({
  ...{ id, name: id, priority: 50, running: 0, takesNext: true, seconds: 30 },
  ...more,
});
const own = sweep('own', {});
const named = (id: string) => ({ id, name: id, status: 'running' });

describe('the time to the end', () => {
  test('counts sweeps of higher priority, and names them', () => {
    const urgent = sweep('urgent', { priority: 90, running: 1, seconds: 720 });
    expect(timeTo(own, [urgent, own], 1)).toEqual({
      seconds: 750,
      behind: { sweeps: [named('urgent')], seconds: 720 },
    });
    const idle = sweep('idle', { priority: 10, running: 1, seconds: 720 });
    expect(timeTo(own, [own, idle], 1)).toEqual({ seconds: 30 });
  });

  test('counts the turns of sweeps with equal priority, until this one has ended', () => {
    const long = sweep('long', { running: 1, seconds: 100 });
    const short = sweep('short', { running: 1, seconds: 10 });
    expect(timeTo(own, [long, own], 1)).toEqual({ seconds: 60 });
    expect(timeTo(own, [short, own], 1)).toEqual({ seconds: 40 });
    const running = { ...own, running: 1 };
    expect(timeTo(running, [long, running], 2)).toEqual({ seconds: 30 }); // each has a trainer
  });

  test('does not count a sweep that leaves a trainer free', () => {
    const narrow = sweep('narrow', { priority: 90, running: 1, takesNext: false, seconds: 720 });
    expect(timeTo(own, [narrow, own], 2)).toEqual({ seconds: 30 });
    expect(timeTo(own, [narrow, own], 1).seconds).toBe(750);
    const stuck = sweep('stuck', { priority: 90, takesNext: false, seconds: 720 }); // no worker can run it
    expect(timeTo(own, [stuck, own], 1)).toEqual({ seconds: 30 });
    const between = sweep('between', { priority: 90, seconds: 720 }); // its last stage has just ended
    expect(timeTo(own, [between, own], 1).seconds).toBe(750);
  });

  test('counts what several sweeps do at the same time once', () => {
    const two = [1, 2].map((n) => sweep(`s${n}`, { priority: 90, running: 1, seconds: 100 }));
    expect(timeTo(own, [...two, own], 2).behind?.seconds).toBe(100);
    expect(timeTo(own, [...two, own], 1).behind?.seconds).toBe(200);
  });

  test('counts work that two sweeps share once', () => {
    const shared = (id: string, more: Partial<Rival>, alone = 0) => {
      const partners = [id === 'own' ? 'twin' : 'own'];
      const portions = [
        { partners, epochs: 10, attacks: 4 },
        ...(alone > 0 ? [{ partners: [], epochs: 10, attacks: 0 }] : []),
      ];
      return sweep(id, { seconds: 90, attackSeconds: 30, portions, ...more });
    };
    const twin = shared('twin', { running: 1 });
    const late = shared('own', { takesNext: false });
    expect(timeTo(late, [twin, late], 1)).toEqual({ seconds: 90 });
    expect(timeTo(twin, [twin, late], 1)).toEqual({ seconds: 90 });
    const urgent = { ...twin, priority: 90 };
    expect(timeTo(late, [urgent, late], 1)).toMatchObject({ seconds: 90, behind: { seconds: 90 } });
    const longer = shared('twin', { running: 1, seconds: 150 }, 1); // half of its 120 s of epochs are its own
    expect(timeTo(late, [longer, late], 1)).toEqual({ seconds: 150 });
    expect(timeTo(longer, [longer, late], 1)).toEqual({ seconds: 150 });
    expect(timeTo(late, [{ ...twin, seconds: null }, late], 1)).toEqual({ seconds: 90 });
  });

  test('is not known when the speed of a sweep before it is not', () => {
    const unknown = sweep('unknown', { priority: 90, running: 1, seconds: null });
    expect(timeTo(own, [unknown, own], 1)).toEqual({
      seconds: null,
      behind: { sweeps: [named('unknown')], seconds: null },
    });
  });
});

/** A round of the reconciler, as if the last one was this many seconds ago. */
const round = async (seconds: number): Promise<void> => {
  await query(db, `UPDATE duties SET at = now() - make_interval(secs => $1) WHERE name = 'reconcile'`, [
    seconds,
  ]);
  await reconcile(db, options);
};

test('a sweep that has begun says which sweep goes before it', async () => {
  const worker = { host: 'h', pid: 1, version: '0', backend: 'b', device: 'd', slots: 1 };
  await registerWorker(db, { id: 'turns', ...worker });
  await round(0); // the first round counts the time since the start of the service
  const early = await submit(db, { name: 'early', seeds: [seed], priority: 10 });
  await expectTime(db, early, { seconds: 7, attackSeconds: 1 });
  const first = (await claim(db))!;
  await record(db, first, { epoch: 1, step: 0 });
  await round(2);
  await finish(db, first);
  expect((await getSweep(db, early.sweepId)).etaSeconds).toBe(5); // 2 of 6 epochs took the 2 s of the plan
  const urgent = await submit(db, { name: 'urgent', seeds: [seed + 1], priority: 90 });
  await expectTime(db, urgent, { seconds: 70, attackSeconds: 10 });
  const claimed = (await claim(db))!;
  await record(db, claimed, { epoch: 1, step: 0 });
  await round(10);
  const { items } = await listSweeps(db, { limit: 100 });
  const found = items.find(({ id }) => id === early.sweepId)!;
  expect(found.behind).toEqual({
    sweeps: [{ id: urgent.sweepId, name: 'urgent', status: 'running' }],
    seconds: 60,
  });
  expect(found.etaSeconds).toBe(65);
  await finish(db, claimed);
  await drain(db);
  expect(await getSweep(db, early.sweepId)).toMatchObject({ status: 'completed', etaSeconds: null });
  expect(await wrongCounts(db)).toEqual([]);
  await retireWorker(db, { workerId: 'turns', status: 'gone' });
});

test('two sweeps of the same stages have the same time left, and the same progress', async () => {
  const worker = { host: 'h', pid: 1, version: '0', backend: 'b', device: 'd', slots: 1 };
  await registerWorker(db, { id: 'twins', ...worker });
  const first = await submit(db, { name: 'first', seeds: [seed + 20] });
  await expectTime(db, first, { seconds: 14, attackSeconds: 2 });
  const initialise = (await claim(db))!;
  await round(4);
  await finish(db, initialise); // 2 of 6 epochs
  const optimise = (await claim(db))!;
  const second = await submit(db, { name: 'second', seeds: [seed + 20] });
  await record(db, optimise, { epoch: 1, step: 0 });
  await round(2);
  const read = async ({ sweepId }: { sweepId: string }) => {
    const { etaSeconds, progress, epochs } = await getSweep(db, sweepId);
    return { etaSeconds, progress, epochs };
  };
  expect(await read(first)).toEqual({ etaSeconds: 8, progress: 3 / 7, epochs: { done: 3, total: 6 } });
  expect(await read(second)).toEqual({ etaSeconds: 8, progress: 3 / 7, epochs: { done: 1, total: 4 } });
  await finish(db, optimise);
  await drain(db);
  expect(await read(second)).toMatchObject({ etaSeconds: null, progress: 1 });
  await retireWorker(db, { workerId: 'twins', status: 'gone' });
});

test('epochs and attacks have their own speed', async () => {
  const { sweepId } = await submit(db, {
    seeds: [seed + 7],
    space: { beta: [0.01, 0.1] },
    attacks: [{ attack: 'fgsm', search: false }],
  });
  let attacked = false;
  while (!attacked) {
    const claimed = (await claim(db))!;
    attacked = claimed.spec.kind === 'attack';
    await round(attacked ? 9 : 1);
    await finish(db, claimed);
  }
  const { epochs, etaSeconds } = await getSweep(db, sweepId);
  expect(epochs).toEqual({ done: 6, total: 10 });
  expect(etaSeconds).toBe(11); // 6 epochs took 3 s and an attack 9 s: 4 epochs and an attack are left
  await drain(db);
});
