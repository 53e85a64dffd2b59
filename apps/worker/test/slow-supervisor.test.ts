/** A trainer whose supervisor does not read its messages. A checkpoint is much larger than the buffer of the pipe. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { expect, it, onTestFinished, vi } from 'vitest';
import { killTrainer } from '../src/attempt.ts';
import { startTrainer } from '../src/trainer-process.ts';
import { trainingSpec } from './simulated-task.ts';

const script = fileURLToPath(new URL('./slow-supervisor.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** As large as the weights of real networks. */
const weightBytes = 8 * 2 ** 20;
/** Longer than the time between two progress messages, so that every epoch has one. */
const simulation = { stepsPerEpoch: 4, stepMilliseconds: 80, weightBytes };
const spec = trainingSpec({ epochs: 5 });

/** Resident bytes of a process. */
const memoryOf = (pid: number): number => {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
};
const isStopped = (pid: number): boolean => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') T ');

type Received = readonly { readonly what: 'checkpoint' | 'progress'; readonly epoch: number }[];

it.runIf(process.platform === 'linux')(
  'a trainer begins no epoch before the supervisor has read the checkpoint of the epoch before, and then goes on as usual',
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'funnel-slow-supervisor-'));
    const journal = path.join(folder, 'steps');
    const begun = (): string[] => readFileSync(journal, 'utf8').trim().split('\n');
    const supervisor = fork(script, [JSON.stringify({ simulation: { ...simulation, journal }, spec })], {
      execArgv: ['--import', tsx],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    onTestFinished(() => {
      supervisor.kill('SIGKILL'); // its trainer dies with it
      rmSync(folder, { recursive: true });
    });
    const [{ trainer }] = (await once(supervisor, 'message')) as [{ trainer: number }];

    await vi.waitFor(() => expect(isStopped(supervisor.pid!)).toBe(true), { timeout: 30_000 });
    await vi.waitFor(() => expect(begun().at(-1)).toBe('1 3'), { timeout: 30_000 });
    const before = memoryOf(trainer);

    // Waits as long as another trainer, whose supervisor reads, needs for two epochs of the same length.
    const other = startTrainer({ folders: {}, backend: 'auto', simulation }, pino({ level: 'silent' }));
    onTestFinished(() => killTrainer(other));
    const trained = await other.run(
      { spec: trainingSpec({ epochs: 2 }), start: null, surrogates: [] },
      { onCheckpoint: async () => {}, onProgress: () => {} },
    );
    expect(trained.status).toBe('completed');
    expect(begun().at(-1)).toBe('1 3');
    // The checkpoint, and a copy of its bytes while they are sent.
    expect(memoryOf(trainer) - before).toBeLessThan(4 * weightBytes);

    const said = once(supervisor, 'message') as Promise<[{ status: string; received: Received }]>;
    supervisor.kill('SIGCONT');
    const [{ status, received }] = await said;
    expect(status).toBe('completed');
    expect(begun()).toEqual(Array.from({ length: 20 }, (_, i) => `${Math.floor(i / 4)} ${i % 4}`));
    const checkpoints = received.filter(({ what }) => what === 'checkpoint').map(({ epoch }) => epoch);
    expect(checkpoints).toEqual([1, 2, 3, 4, 5]);
    // Every epoch has progress. Progress of epoch n (from 0) comes after the checkpoints 1 to n.
    for (const [place, { what, epoch }] of received.entries())
      if (what === 'progress') {
        const earlier = received.slice(0, place).filter((message) => message.what === 'checkpoint');
        expect(earlier.map((message) => message.epoch)).toEqual(
          Array.from({ length: epoch }, (_, i) => i + 1),
        );
      }
    expect(new Set(received.filter(({ what }) => what === 'progress').map(({ epoch }) => epoch))).toEqual(
      new Set([0, 1, 2, 3, 4]),
    );
  },
);
