/** Times the trainers of a worker, one alone and several side by side, in turns. */
import { setTimeout as wait } from 'node:timers/promises';
import { type DatasetSpec, Hyperparameters, type StageSpec } from '@funnel/contracts';
import { startTrainer, type Trainer } from '@funnel/worker';
import pino from 'pino';
import { type BenchStage, benchStages } from './arithmetic.ts';
import { untilInterrupted } from './processes.ts';
import { timedSpec } from './time-stage.ts';
import { median } from './timing.ts';

/** Long epochs, so that their ends are not timed. */
const dataset: DatasetSpec = { name: 'glyphs', train: 25_600, test: 1, attack: 1 };

/** Steps that are not timed: kernels are compiled and optimised during these. */
const warmUpSteps = 40;

/** Milliseconds of a turn before the timing starts, and of the timing. */
const warmUpMs = 300;
const timedMs = 1500;

type Checkpoint = Parameters<Parameters<Trainer['run']>[1]['onCheckpoint']>[0];

/** A trainer that runs a stage. `stepsPerSecond` takes two readings of `performance.now()`. */
type Training = {
  readonly pid: number;
  readonly stepsPerSecond: (from: number, to: number) => number;
  readonly warm: Promise<void>;
  readonly checkpoint: () => Promise<Checkpoint>;
  readonly close: () => Promise<void>;
};

const startTraining = async (
  backend: string,
  spec: StageSpec,
  from: Checkpoint | null,
): Promise<Training> => {
  const trainer = startTrainer({ folders: {}, backend, simulation: null }, pino({ level: 'silent' }));
  await trainer.ready;
  const readings: { readonly at: number; readonly steps: number }[] = [];
  const stepsPerEpoch = Math.ceil(dataset.train / Number(spec.hyperparameters.batchSize));
  let last: Checkpoint | undefined;
  let isWarm = () => {};
  const warm = new Promise<void>((resolve) => {
    isWarm = resolve;
  });
  const end = trainer.run(
    { spec, start: from && { ...from, sameChain: false }, surrogates: [] },
    {
      onCheckpoint: async (checkpoint) => {
        last = checkpoint;
      },
      onProgress: ({ position }) => {
        if (!position) return;
        const steps = position.epoch * stepsPerEpoch + position.step;
        readings.push({ at: performance.now(), steps });
        if (steps >= warmUpSteps) isWarm();
      },
    },
  );
  let state = 'is still training';
  const note = (result: unknown): void => {
    state = `ended: ${result instanceof Error ? result.message : JSON.stringify(result)}`;
  };
  end.then(note, note);
  return {
    pid: trainer.pid,
    stepsPerSecond: (start, stop) => {
      const within = readings.filter(({ at }) => at >= start && at <= stop);
      const [first, final] = [within[0], within.at(-1)];
      if (!first || !final || first === final)
        throw new Error(
          `Expected a trainer to make several steps of ${spec.kind} within ${timedMs} ms, but it ${state}`,
        );
      return (1000 * (final.steps - first.steps)) / (final.at - first.at);
    },
    warm: Promise.race([
      warm,
      end.then((outcome) => {
        throw new Error(
          `Expected ${spec.kind} to continue training, but it ended as ${JSON.stringify(outcome)}`,
        );
      }),
    ]),
    checkpoint: async () => {
      trainer.stop();
      await end;
      return last!;
    },
    close: async () => {
      trainer.kill('SIGKILL');
      await trainer.gone;
    },
  };
};

/** Steps per second of each trainer, while these run and all other trainers are stopped. */
const timeTogether = async (running: readonly Training[]): Promise<readonly number[]> => {
  for (const { pid } of running) process.kill(pid, 'SIGCONT');
  await wait(warmUpMs);
  const from = performance.now();
  await wait(timedMs);
  const speeds = running.map((training) => training.stepsPerSecond(from, performance.now()));
  for (const { pid } of running) process.kill(pid, 'SIGSTOP');
  return speeds;
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

export type SideBySide = {
  readonly stage: BenchStage;
  /** Sum over all trainers. */
  readonly imagesPerSecond: number;
  /** Speed of all trainers together, in multiples of one trainer alone: the median over turns, and each turn. */
  readonly times: number;
  readonly turns: readonly number[];
};

export type CompareOptions = {
  readonly hyperparameters: Partial<Hyperparameters>;
  readonly backend: string;
  readonly trainers: number;
  /** Number of turns. In each turn every trainer runs alone once, and all run together once. */
  readonly rounds: number;
};

const compareStage = (
  stage: BenchStage,
  from: Checkpoint | null,
  { hyperparameters, backend, trainers, rounds }: CompareOptions,
): Promise<SideBySide> =>
  untilInterrupted(async (onEnd) => {
    const spec = timedSpec(stage, hyperparameters, dataset);
    const start = async (): Promise<Training> => {
      const training = await startTraining(backend, spec, from);
      onEnd(training.close); // a stopped trainer would not notice that its parent has gone
      return training;
    };
    const all = await Promise.all(Array.from({ length: trainers }, start));
    await Promise.all(all.map(({ warm }) => warm));
    for (const { pid } of all) process.kill(pid, 'SIGSTOP');
    const turns: { readonly together: number; readonly times: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      const alone: number[] = [];
      for (const training of all) alone.push(...(await timeTogether([training])));
      const together = sum(await timeTogether(all));
      turns.push({ together, times: (together * trainers) / sum(alone) });
    }
    return {
      stage,
      imagesPerSecond:
        Hyperparameters.parse(hyperparameters).batchSize * median(turns.map(({ together }) => together)),
      times: median(turns.map(({ times }) => times)),
      turns: turns.map(({ times }) => times),
    };
  });

/** A checkpoint of *initialise* after its warm-up, from which *optimise* starts. */
const trainFirst = ({ hyperparameters, backend }: CompareOptions): Promise<Checkpoint> =>
  untilInterrupted(async (onEnd) => {
    const training = await startTraining(backend, timedSpec('initialise', hyperparameters, dataset), null);
    onEnd(training.close);
    await training.warm;
    return training.checkpoint();
  });

/** Yields each stage as soon as it is timed. */
export async function* compareTrainers(options: CompareOptions): AsyncGenerator<SideBySide> {
  const first = await trainFirst(options);
  for (const stage of benchStages) yield compareStage(stage, stage === 'optimise' ? first : null, options);
}
