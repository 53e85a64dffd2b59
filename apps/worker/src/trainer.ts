/** The child process that trains and attacks, one stage at a time. It talks to its supervisor over IPC (messages.ts). */
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { deferred } from './async.ts';
import type { FromTrainer, StageEnd, StageRunner, ToTrainer, TrainerSetup } from './messages.ts';
import { isOutOfMemory } from './out-of-memory.ts';
import { startMeter } from './usage.ts';

/**
 * Sends a message and resolves when it is written. Wait for this after a large message: the training loop gives the event loop one turn per
 * step, and each turn sends one buffer of the pipe. Later messages would wait behind the large one.
 */
const send = (message: FromTrainer): Promise<void> =>
  new Promise((resolve) => process.send?.(message, undefined, undefined, () => resolve()));

/** Loads tfjs only if it is used: a simulated trainer starts in a tenth of the time. */
const createRunner = async (setup: TrainerSetup): Promise<StageRunner> => {
  if (setup.simulation)
    return (await import('./simulated-trainer.ts')).createSimulatedTrainer(setup.simulation);
  return (await import('./run-stage.ts')).createStageRunner(setup);
};

/** The error and its causes. */
const causesOf = (error: unknown): readonly Error[] =>
  error instanceof Error ? [error, ...causesOf(error.cause)] : [];

/**
 * Ends this process after it ran out of memory: a WebAssembly memory only grows, and after a trap its content is not reliable. The next stage
 * gets another process.
 */
const exitIfOutOfMemory = (error: unknown): void => {
  const cause = causesOf(error).find(
    (each) => each instanceof WebAssembly.RuntimeError || isOutOfMemory(each.message),
  );
  if (!cause) return;
  writeSync(process.stderr.fd, `${cause.name}: ${cause.message}\n`);
  process.exit(1);
};

const failure = (error: unknown): Extract<StageEnd, { status: 'failed' }> => {
  const { code, message, stack } =
    error instanceof Error
      ? (error as Error & { code?: unknown })
      : (new Error(String(error)) as Error & { code?: unknown });
  return {
    status: 'failed',
    code: typeof code === 'string' ? code : 'INTERNAL',
    message,
    stack: stack ?? message,
  };
};

/** The shortest time between two messages of progress. */
const progressMilliseconds = 200;

type Run = {
  readonly number: number;
  readonly stop: AbortController;
  readonly saved: Map<number, () => void>;
};
let current: Run | null = null;

const runTask = async (
  runner: StageRunner,
  { run, task }: Extract<ToTrainer, { type: 'run' }>,
): Promise<void> => {
  const state: Run = { number: run, stop: new AbortController(), saved: new Map() };
  current = state;
  const meter = startMeter();
  let checkpoints = 0;
  let progressAt = 0;
  // While one checkpoint is being written, the next epoch trains. A second checkpoint waits for the first.
  let saving: Promise<void> = Promise.resolve();
  const end = await runner
    .run(task, {
      signal: state.stop.signal,
      onCheckpoint: async (checkpoint, metrics, perClass) => {
        await saving;
        const number = checkpoints++;
        saving = new Promise((resolve) => state.saved.set(number, resolve));
        await send({
          ...{ type: 'checkpoint', run, checkpoint: number, state: checkpoint, metrics, perClass },
          usage: meter.read(),
        });
      },
      onProgress: ({ position, imagesPerSecond }) => {
        const now = performance.now();
        if (now - progressAt < progressMilliseconds) return;
        progressAt = now;
        void send({
          type: 'progress',
          run,
          position,
          imagesPerSecond,
          memoryBytes: process.memoryUsage.rss(),
          usage: meter.read(),
        });
      },
    })
    .catch((error: unknown) => {
      exitIfOutOfMemory(error);
      return failure(error);
    });
  const usage = meter.read(); // before the wait for the database
  await saving;
  current = null;
  void send({ type: 'ended', run, end, memoryBytes: process.memoryUsage.rss(), usage });
};

const ready = deferred<StageRunner>();

process.on('message', (message: ToTrainer) => {
  switch (message.type) {
    case 'setup':
      createRunner(message.setup).then(
        (runner) => {
          ready.resolve(runner);
          void send({ type: 'ready', identity: runner.identity });
        },
        (error: unknown) => {
          const { code, message: text } = failure(error);
          void send({ type: 'unusable', code, message: text });
        },
      );
      return;
    case 'run':
      void ready.promise.then((runner) => runTask(runner, message));
      return;
    case 'stop':
      if (current?.number === message.run) current.stop.abort();
      return;
    case 'saved':
      if (current?.number === message.run) current.saved.get(message.checkpoint)?.();
  }
});

const watchParent = `
  const { workerData } = require('node:worker_threads');
  setInterval(() => { if (process.ppid !== workerData) process.kill(process.pid, 'SIGKILL'); }, 500);
`;

/**
 * Ends this process when its parent has ended. The IPC channel then closes, which shows this at once. A thread checks the id of the parent and
 * notices its end even while a training step blocks the event loop.
 */
export const dieWithParent = (): void => {
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  new Worker(watchParent, { eval: true, workerData: process.ppid, execArgv: [], stdin: false }).unref();
};

dieWithParent();
