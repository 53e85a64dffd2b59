import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { killTrainer } from '../src/attempt.ts';
import type { Checkpoint, StageEnd, StageTask } from '../src/messages.ts';
import type { SimulationOptions } from '../src/simulated-faults.ts';
import { startTrainer, type Trainer, TrainerDeath } from '../src/trainer-process.ts';
import { continueFrom, trainingSpec } from './simulated-task.ts';

const log = pino({ level: 'silent' });
const trainers: Trainer[] = [];
const trainer = (simulation: SimulationOptions = {}): Trainer => {
  const started = startTrainer({ folders: {}, backend: 'auto', simulation }, log);
  trainers.push(started);
  return started;
};
afterEach(async () => {
  await Promise.all(trainers.splice(0).map(killTrainer));
});

type Outcome = { readonly end: StageEnd; readonly checkpoints: readonly Checkpoint[] };

const runOn = async (on: Trainer, task: StageTask, onProgress: () => void = () => {}): Promise<Outcome> => {
  const checkpoints: Checkpoint[] = [];
  const end = await on.run(task, {
    onCheckpoint: async (state) => void checkpoints.push(state),
    onProgress,
  });
  return { end, checkpoints };
};

const lastBlob = ({ checkpoints }: Outcome) => checkpoints.at(-1)?.manifest.networks.encoder?.blob;

describe('a trainer', () => {
  it('runs stage after stage, and gives the same bits for the same stage', async () => {
    const on = trainer();
    expect((await on.ready).backend).toBe('stand-in');
    const first = await runOn(on, { spec: trainingSpec(), start: null, surrogates: [] });
    const second = await runOn(on, { spec: trainingSpec(), start: null, surrogates: [] });
    expect(first.end).toEqual({ status: 'completed', evaluation: null });
    expect(first.checkpoints.map(({ manifest }) => manifest.position.epoch)).toEqual([1, 2, 3]);
    expect(second.checkpoints).toEqual(first.checkpoints);
  });

  it('stopped within an epoch and continued in another process ends with the bits of the undisturbed run', async () => {
    const undisturbed = await runOn(trainer(), { spec: trainingSpec(), start: null, surrogates: [] });
    const on = trainer({ stepMilliseconds: 20 });
    const stopped = await runOn(on, { spec: trainingSpec(), start: null, surrogates: [] }, () => on.stop());
    expect(stopped.end.status).toBe('stopped');
    const left = stopped.checkpoints.at(-1);
    expect(left?.manifest.position.step).toBeGreaterThan(0);
    const continued = await runOn(trainer(), {
      spec: trainingSpec(),
      start: left ? continueFrom(left) : null,
      surrogates: [],
    });
    expect(lastBlob(continued)).toBe(lastBlob(undisturbed));
  });

  it.each([
    ['exit', 'TRAINER_CRASHED'],
    ['abort', 'TRAINER_CRASHED'],
    ['memory', 'TRAINER_OUT_OF_MEMORY'],
    ['trap', 'TRAINER_OUT_OF_MEMORY'],
  ] as const)('that dies by %s rejects its run with %s', async (fault, code) => {
    const on = trainer({ faults: [{ fault, epoch: 1 }] });
    const death = await runOn(on, { spec: trainingSpec(), start: null, surrogates: [] }).catch(
      (error: unknown) => error,
    );
    expect(death).toBeInstanceOf(TrainerDeath);
    expect(death).toMatchObject({ code });
    expect(on.isAlive()).toBe(false);
  });

  it('reports the error of the training code and runs the next stage', async () => {
    const on = trainer({ faults: [{ fault: 'throw', seed: 7 }] });
    const thrown = await runOn(on, { spec: trainingSpec({ seed: 7 }), start: null, surrogates: [] });
    expect(thrown.end).toMatchObject({
      status: 'failed',
      message: 'The simulated trainer was told to throw',
    });
    expect((await runOn(on, { spec: trainingSpec(), start: null, surrogates: [] })).end.status).toBe(
      'completed',
    );
  });

  it('can be ended while a step blocks it', async () => {
    const on = trainer({ faults: [{ fault: 'block', epoch: 1 }] });
    const checkpointed = new Promise<void>((resolve) => {
      void on
        .run(
          { spec: trainingSpec(), start: null, surrogates: [] },
          { onCheckpoint: async () => resolve(), onProgress: () => {} },
        )
        .catch(() => {});
    });
    await checkpointed;
    on.stop();
    await killTrainer(on);
    expect(on.isAlive()).toBe(false);
  });
});
