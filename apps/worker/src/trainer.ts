/** The child process that trains and attacks: one stage at a time, told what to do and heard over IPC (see messages.ts). */
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { deferred } from './async.ts';
import type { FromTrainer, StageEnd, StageRunner, ToTrainer, TrainerSetup } from './messages.ts';
import { saysOutOfMemory } from './out-of-memory.ts';

/**
 * Resolves when the message is written. Who sends a large one must wait for that: a loop that trains gives the event loop one turn per
 * step, in which one pipe's buffer goes out, and all that is said later queues behind the rest.
 */
const send = (message: FromTrainer): Promise<void> =>
  new Promise((resolve) => process.send?.(message, undefined, undefined, () => resolve()));

/** tfjs is loaded only where it is used: a stand-in starts in a tenth of the time. */
const createRunner = async (setup: TrainerSetup): Promise<StageRunner> => {
  if (setup.simulation)
    return (await import('./simulated-trainer.ts')).createSimulatedTrainer(setup.simulation);
  return (await import('./run-stage.ts')).createStageRunner(setup);
};

/** The error, and what it was thrown for. */
const chainOf = (error: unknown): readonly Error[] =>
  error instanceof Error ? [error, ...chainOf(error.cause)] : [];

/**
 * Memory that ran out is not got back: WebAssembly's only grows, and after a trap in it nothing that it holds can be trusted. This process
 * ends as one that the system ended would, and the next stage gets another.
 */
const endIfBeyondUse = (error: unknown): void => {
  const cause = chainOf(error).find(
    (each) => each instanceof WebAssembly.RuntimeError || saysOutOfMemory(each.message),
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

/** Progress is said at most this often. */
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
  let checkpoints = 0;
  let saidAt = 0;
  // One checkpoint may be on its way to the database while the next epoch trains; a second one waits for it.
  let saving: Promise<void> = Promise.resolve();
  const end = await runner
    .run(task, {
      signal: state.stop.signal,
      onCheckpoint: async (checkpoint, metrics) => {
        await saving;
        const number = checkpoints++;
        saving = new Promise((resolve) => state.saved.set(number, resolve));
        await send({ type: 'checkpoint', run, checkpoint: number, state: checkpoint, metrics });
      },
      onProgress: ({ position, imagesPerSecond }) => {
        const now = performance.now();
        if (now - saidAt < progressMilliseconds) return;
        saidAt = now;
        void send({
          type: 'progress',
          run,
          position,
          imagesPerSecond,
          memoryBytes: process.memoryUsage.rss(),
        });
      },
    })
    .catch((error: unknown) => {
      endIfBeyondUse(error);
      return failure(error);
    });
  await saving;
  current = null;
  void send({ type: 'ended', run, end, memoryBytes: process.memoryUsage.rss() });
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

const watch = `
  const { workerData } = require('node:worker_threads');
  setInterval(() => { if (process.ppid !== workerData) process.kill(process.pid, 'SIGKILL'); }, 500);
`;

/**
 * Ends this process when its parent is gone, however it went: the closed IPC channel says so at once, and a thread that looks at the
 * parent's id says so even while a training step blocks the event loop.
 */
export const dieWithParent = (): void => {
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  new Worker(watch, { eval: true, workerData: process.ppid, execArgv: [], stdin: false }).unref();
};

dieWithParent();
