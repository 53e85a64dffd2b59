/** One trainer as its supervisor sees it: a child process that runs one stage at a time, can be asked to stop, and can be killed. */
import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Logger } from 'pino';
import { type Deferred, deferred } from './async.ts';
import type {
  Checkpoint,
  FromTrainer,
  StageEnd,
  StageTask,
  ToTrainer,
  TrainerIdentity,
  TrainerSetup,
} from './messages.ts';
import { countMemoryKills, memoryAdvice, saysOutOfMemory } from './out-of-memory.ts';

const script = fileURLToPath(new URL('./trainer.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** JavaScript's own heap; tensors and data sets lie outside it. A leak ends its trainer before it ends the machine. */
const heapMegabytes = 1024;

/**
 * Node's options for a process that trains on one core. V8 would mark garbage and compile on other threads, which takes 3 to 4 % of a
 * second core: another trainer's. A small nursery is swept often, half a millisecond each time, and so lets go of the batches' buffers
 * before their size calls for a collection of the whole heap, which is 25 ms on the thread that trains.
 */
export const oneCore: readonly string[] = ['--single-threaded', '--max-semi-space-size=4'];

/** How a trainer went that was not asked to. `code` is what an attempt fails with. */
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
  /** Resolves when the checkpoint is stored, or given up: then the trainer may go on. Must not reject. */
  readonly onCheckpoint: (
    state: Checkpoint,
    metrics: Readonly<Record<string, number | null>> | null,
  ) => Promise<void>;
  readonly onProgress: (progress: Progress) => void;
};

export type Trainer = {
  readonly pid: number;
  /** Rejects with `TrainerDeath` if it dies first or cannot use its backend. */
  readonly ready: Promise<TrainerIdentity>;
  /** Resolves when the process is gone. */
  readonly gone: Promise<TrainerDeath>;
  readonly isAlive: () => boolean;
  /** Resident memory as it last said, in bytes. */
  readonly memoryBytes: () => number;
  /** Rejects with `TrainerDeath` if the process dies under it. */
  readonly run: (task: StageTask, handlers: RunHandlers) => Promise<StageEnd>;
  /** Asks the running stage to checkpoint and end. */
  readonly stop: () => void;
  readonly kill: (signal: 'SIGTERM' | 'SIGKILL') => void;
};

/** A line of a native stack, such as ` 3: 0xb7a1e2 node::Abort() [node]`: it says nothing to anyone here. */
const nativeFrame = /^\s*\d+: 0x[0-9a-f]+ /;

type Death = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  /** Whether the system ended something for its memory while this one worked; null where nobody counts. */
  readonly memoryKills: boolean | null;
};

const describeDeath = ({ code, signal, stderr, memoryKills }: Death): TrainerDeath => {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !nativeFrame.test(line));
  const last = lines.slice(-8).join('\n');
  const how = signal ? `was ended by ${signal}` : `exited with ${code}`;
  const said = last === '' ? '' : `. Its last words:\n${last}`;
  if (saysOutOfMemory(stderr))
    return new TrainerDeath(
      'TRAINER_OUT_OF_MEMORY',
      `The trainer ran out of memory (it ${how}). ${memoryAdvice}${said}`,
    );
  if (signal === 'SIGKILL' && memoryKills)
    return new TrainerDeath(
      'TRAINER_OUT_OF_MEMORY',
      `The trainer was killed by the system, whose memory ran out (it ${how}). ${memoryAdvice}${said}`,
    );
  if (signal === 'SIGKILL') {
    const perhaps = memoryKills === null ? ', perhaps by the system for its memory' : '';
    return new TrainerDeath(
      'TRAINER_KILLED',
      `The trainer was killed from outside${perhaps} (it ${how})${said}`,
    );
  }
  return new TrainerDeath('TRAINER_CRASHED', `The trainer ${how}${said}`);
};

type Current = { readonly number: number; readonly handlers: RunHandlers; readonly end: Deferred<StageEnd> };

/** Characters: a native abort's cause stands before its stack. */
const maxStderr = 20_000;

/** Keeps the last of a stream, for the message of a crash. */
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
  // A process group of its own: Ctrl-C in a terminal reaches the supervisor alone, which then asks for a checkpoint.
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

  /** A channel that closes while a message is under way is a death, which `close` reports. */
  const tell = (message: ToTrainer): void => {
    if (child.connected) child.send(message, () => {});
  };

  const onCheckpoint = async (run: Current, message: Extract<FromTrainer, { type: 'checkpoint' }>) => {
    await run.handlers.onCheckpoint(message.state, message.metrics);
    tell({ type: 'saved', run: message.run, checkpoint: message.checkpoint });
  };

  child.on('message', (message: FromTrainer) => {
    if (message.type === 'ready') return ready.resolve(message.identity);
    if (message.type === 'unusable')
      return ready.reject(new TrainerDeath('TRAINER_UNUSABLE', message.message));
    if (message.run !== current?.number) return;
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
  // `close` comes when stderr has been read to its end; should something else hold stderr open, half a second is enough.
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
