/** The supervisor's side of a trainer, a child process that runs one stage at a time. The supervisor can stop a stage, or kill the process. */
import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Usage } from '@funnel/contracts';
import type { Logger } from 'pino';
import { type Deferred, deferred } from './async.ts';
import type {
  FromTrainer,
  StageEnd,
  StageHooks,
  StageTask,
  ToTrainer,
  TrainerIdentity,
  TrainerSetup,
} from './messages.ts';
import { countMemoryKills, isOutOfMemory, memoryAdvice } from './out-of-memory.ts';

const script = fileURLToPath(new URL('./trainer.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** Limit of the JavaScript heap, which holds neither tensors nor data sets. A leak ends the trainer before it harms the machine. */
const heapMegabytes = 1024;

/**
 * Options of Node for a process that trains on one core. Without them V8 marks garbage and compiles on other threads, which takes 3 to 4 % of
 * a second core from another trainer. A small young generation is collected often, half a millisecond each time. This frees the buffers of
 * batches before they cause a collection of the whole heap, which takes 25 ms of training.
 */
export const oneCore: readonly string[] = ['--single-threaded', '--max-semi-space-size=4'];

/** A trainer ended by itself. `code` is the error code of the failed attempt. */
export class TrainerDeath extends Error {
  readonly code: 'TRAINER_OUT_OF_MEMORY' | 'TRAINER_KILLED' | 'TRAINER_CRASHED' | 'TRAINER_UNUSABLE';
  constructor(code: TrainerDeath['code'], message: string) {
    super(message);
    this.name = 'TrainerDeath';
    this.code = code;
  }
}

export type Progress = Extract<FromTrainer, { type: 'progress' }>;

export type RunHandlers = {
  /** Resolves when the checkpoint is written, or cannot be; then the trainer may go on. Must not reject. */
  readonly onCheckpoint: StageHooks['onCheckpoint'];
  readonly onProgress: (progress: Progress) => void;
  /** What the stage has used so far: with every message about it, before its handler. (Default: nobody wants to know) */
  readonly onUsage?: (usage: Usage) => void;
};

export type Trainer = {
  readonly pid: number;
  /** Rejects with `TrainerDeath` when the process ends before it is ready, or cannot use its backend. */
  readonly ready: Promise<TrainerIdentity>;
  /** Resolves when the process has ended. */
  readonly gone: Promise<TrainerDeath>;
  readonly isAlive: () => boolean;
  /** The number of stages that it has begun to run. Memory that they took may be lost for later ones. */
  readonly runs: () => number;
  /** Resident memory in bytes, from the last message. */
  readonly memoryBytes: () => number;
  /** Rejects with `TrainerDeath` when the process ends before the stage does. */
  readonly run: (task: StageTask, handlers: RunHandlers) => Promise<StageEnd>;
  /** Asks the trainer to write a checkpoint and end the stage. */
  readonly stop: () => void;
  readonly kill: (signal: 'SIGTERM' | 'SIGKILL') => void;
};

/** A line of a native stack, such as ` 3: 0xb7a1e2 node::Abort() [node]`. Error messages leave it out. */
const nativeFrame = /^\s*\d+: 0x[0-9a-f]+ /;

type Death = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  /** Whether the kernel killed a process during the run because memory ran out; null where the kernel does not count. */
  readonly memoryKills: boolean | null;
};

const describeDeath = ({ code, signal, stderr, memoryKills }: Death): TrainerDeath => {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !nativeFrame.test(line));
  const last = lines.slice(-8).join('\n');
  const how = signal ? `was ended by ${signal}` : `exited with ${code}`;
  const output = last === '' ? '' : `. Its last output:\n${last}`;
  if (isOutOfMemory(stderr))
    return new TrainerDeath(
      'TRAINER_OUT_OF_MEMORY',
      `The trainer ran out of memory (it ${how}). ${memoryAdvice}${output}`,
    );
  if (signal === 'SIGKILL' && memoryKills)
    return new TrainerDeath(
      'TRAINER_OUT_OF_MEMORY',
      `The system ran out of memory and killed the trainer (it ${how}). ${memoryAdvice}${output}`,
    );
  if (signal === 'SIGKILL') {
    const perhaps = memoryKills === null ? ', perhaps the system, to free memory' : '';
    return new TrainerDeath(
      'TRAINER_KILLED',
      `Another process killed the trainer${perhaps} (it ${how})${output}`,
    );
  }
  return new TrainerDeath('TRAINER_CRASHED', `The trainer ${how}${output}`);
};

type Current = { readonly number: number; readonly handlers: RunHandlers; readonly end: Deferred<StageEnd> };

/** How many characters of stderr are kept. The cause of a native abort comes before its long stack. */
const maxStderr = 20_000;

/** Keeps the end of stderr, for the message of a crash. */
const tailOf = (child: ChildProcess, log: Logger): (() => string) => {
  let tail = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-maxStderr);
    log.debug({ text: chunk.toString().trimEnd() }, 'trainer wrote to stderr');
  });
  child.stdout?.on('data', (chunk: Buffer) =>
    log.debug({ text: chunk.toString().trimEnd() }, 'trainer wrote to stdout'),
  );
  return () => tail;
};

export const startTrainer = (setup: TrainerSetup, log: Logger): Trainer => {
  // Detached, in another process group: so Ctrl-C in a terminal reaches only the supervisor, which then asks for a checkpoint.
  const child = fork(script, [], {
    serialization: 'advanced',
    detached: true,
    execArgv: [...oneCore, '--import', tsx, `--max-old-space-size=${setup.simulation ? 64 : heapMegabytes}`],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const stderr = tailOf(child, log);
  const ready = deferred<TrainerIdentity>();
  const gone = deferred<TrainerDeath>();
  let current: Current | null = null;
  let runs = 0;
  let memoryBytes = 0;
  let alive = true;
  let killsBefore = countMemoryKills() ?? 0;

  /** Sends a message. Where the channel is closed, the process has ended, and the event `close` reports that. */
  const tell = (message: ToTrainer): void => {
    if (child.connected) child.send(message, () => {});
  };

  const onCheckpoint = async (run: Current, message: Extract<FromTrainer, { type: 'checkpoint' }>) => {
    await run.handlers.onCheckpoint(message.state, message.metrics, message.perClass);
    tell({ type: 'saved', run: message.run, checkpoint: message.checkpoint });
  };

  child.on('message', (message: FromTrainer) => {
    if (message.type === 'ready') return ready.resolve(message.identity);
    if (message.type === 'unusable')
      return ready.reject(new TrainerDeath('TRAINER_UNUSABLE', message.message));
    if (message.run !== current?.number) return;
    current.handlers.onUsage?.(message.usage);
    if (message.type === 'checkpoint') return void onCheckpoint(current, message);
    memoryBytes = message.memoryBytes;
    if (message.type === 'progress') return current.handlers.onProgress(message);
    current.end.resolve(message.end);
  });

  const die = (death: TrainerDeath): void => {
    if (!alive) return;
    alive = false;
    ready.reject(death);
    current?.end.reject(death);
    gone.resolve(death);
  };
  // The event `close` comes after the last output on stderr. Another process may hold stderr open; then the end is reported half a second
  // after `exit`.
  const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
    const kills = countMemoryKills();
    const memoryKills = kills === null ? null : kills > killsBefore;
    die(describeDeath({ code, signal, stderr: stderr(), memoryKills }));
  };
  child.on('close', ended);
  child.on('exit', (code, signal) => {
    setTimeout(() => ended(code, signal), 500).unref();
  });
  child.on('error', (error) => {
    if (child.pid === undefined)
      die(new TrainerDeath('TRAINER_CRASHED', `The trainer could not be started: ${error.message}`));
  });

  tell({ type: 'setup', setup });

  return {
    pid: child.pid ?? -1,
    ready: ready.promise,
    gone: gone.promise,
    isAlive: () => alive,
    runs: () => runs,
    memoryBytes: () => memoryBytes,
    run: async (task, handlers) => {
      const run: Current = { number: runs++, handlers, end: deferred() };
      current = run;
      killsBefore = countMemoryKills() ?? 0;
      if (!alive) run.end.reject(await gone.promise);
      tell({ type: 'run', run: run.number, task });
      return run.end.promise.finally(() => {
        if (current === run) current = null;
      });
    },
    stop: () => {
      if (current) tell({ type: 'stop', run: current.number });
    },
    kill: (signal) => {
      if (alive) child.kill(signal);
    },
  };
};
