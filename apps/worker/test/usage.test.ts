/** What a meter says about an attempt. The gauges are those of a trainer that runs several attempts. */
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { killTrainer } from '../src/attempt.ts';
import { startTrainer } from '../src/trainer-process.ts';
import { startMeter } from '../src/usage.ts';
import { openTestDatabase, runningStage, submit, sweepEnded, worker } from './fixtures.ts';
import { trainingSpec } from './simulated-task.ts';

const MiB = 2 ** 20;

const gauges = () => {
  const state = { seconds: 10, user: 3, system: 1, resident: 100 * MiB, record: 100 * MiB };
  const use = (resident: number) => {
    state.resident = resident * MiB;
    state.record = Math.max(state.record, state.resident);
  };
  return {
    state,
    use,
    meter: () =>
      startMeter({
        now: () => state.seconds * 1000,
        cpu: () => ({ user: state.user * 1e6, system: state.system * 1e6 }),
        residentBytes: () => state.resident,
        recordBytes: () => state.record,
      }),
  };
};

it('counts the time and the CPU time since its start, user and system', () => {
  const { state, meter } = gauges();
  const running = meter();
  Object.assign(state, { seconds: 20, user: 18, system: 2 });
  expect(running.read()).toEqual({ seconds: 10, cpuSeconds: 16, peakBytes: 100 * MiB });
});

it('knows a peak between two looks, if no earlier attempt had a higher one', () => {
  const { use, meter } = gauges();
  const running = meter();
  use(700);
  use(300);
  expect(running.read().peakBytes).toBe(700 * MiB);
});

it('does not count the peak of an earlier attempt', () => {
  const { use, meter } = gauges();
  use(700);
  use(200);
  const second = meter();
  use(350);
  expect(second.read().peakBytes).toBe(350 * MiB);
  use(250);
  expect(second.read().peakBytes).toBe(350 * MiB);
});

it('a trainer process reports its use with the end of each stage', async () => {
  const on = startTrainer(
    { folders: {}, backend: 'auto', simulation: { stepMilliseconds: 30 } },
    pino({ level: 'silent' }),
  );
  const measure = async () => {
    const usages: { seconds: number; cpuSeconds: number; peakBytes: number }[] = [];
    await on.run(
      { spec: trainingSpec(), start: null, surrogates: [] },
      { onCheckpoint: async () => {}, onProgress: () => {}, onUsage: (usage) => usages.push(usage) },
    );
    return usages;
  };
  try {
    for (const usages of [await measure(), await measure()]) {
      const last = usages.at(-1)!;
      const steps = 3 * 4; // 3 epochs of 4 steps, each of 30 ms, which wait and do not compute
      expect(last.seconds).toBeGreaterThan((steps * 30) / 1000 - 0.01);
      expect(last.cpuSeconds).toBeGreaterThan(0);
      expect(last.cpuSeconds).toBeLessThan(last.seconds);
      expect(last.peakBytes).toBeGreaterThan(20 * MiB);
      expect(last.peakBytes).toBeLessThan(1024 * MiB);
      expect(usages.map(({ seconds }) => seconds)).toEqual(
        usages.map(({ seconds }) => seconds).sort((a, b) => a - b),
      );
    }
  } finally {
    await killTrainer(on);
  }
});

it('a worker stores the use of every attempt, also of one whose trainer was killed', async () => {
  const db = await openTestDatabase();
  const sweepId = await submit(db);
  const running = await worker(db, { slots: 1, simulation: { stepMilliseconds: 25 } });
  await runningStage(db, 'initialise');
  process.kill(running.trainers()[0]!, 'SIGKILL');
  await sweepEnded(db, sweepId);
  const { rows } = await db.pool.query<{
    outcome: string;
    wall: number;
    trainer_seconds: number | null;
    cpu_seconds: number | null;
    peak_bytes: number | null;
  }>(
    'SELECT outcome, extract(epoch FROM ended_at - started_at)::float8 AS wall, trainer_seconds, cpu_seconds, peak_bytes FROM attempts',
  );
  expect(rows.map(({ outcome }) => outcome)).toContain('failed');
  for (const { wall, trainer_seconds, cpu_seconds, peak_bytes } of rows) {
    expect(trainer_seconds).toBeGreaterThan(0);
    expect(trainer_seconds).toBeLessThan(wall);
    expect(cpu_seconds).toBeGreaterThan(0);
    expect(peak_bytes).toBeGreaterThan(20 * MiB);
  }
});
