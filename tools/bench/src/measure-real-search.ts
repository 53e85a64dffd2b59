/** One search on real data by the service, with the CPU time of its trainers: a private PostgreSQL, the API, and a worker in this process. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SweepInput } from '@funnel/contracts';
import { createDb, type Db } from '@funnel/db';
import { startWorker } from '@funnel/worker';
import pino from 'pino';
import { openApi, untilInterrupted } from './processes.ts';
import { createHttpClient, openTables, submitSweep } from './service.ts';

/** A trial that has ended. */
export type EndedTrial = {
  /** CPU seconds of all trainers until then. */
  readonly seconds: number;
  readonly epochs: number;
  /** Robust accuracy; null if the trial failed, or if its gradients are masked. */
  readonly value: number | null;
};

export type RealSearchOptions = {
  readonly definition: SweepInput;
  /** The folder with the data set. */
  readonly data: string | undefined;
  readonly slots: number;
};

/** Clock ticks of `/proc/PID/stat` in a second: USER_HZ of Linux. */
const ticksPerSecond = 100;

/** CPU seconds of a process on Linux, and the command that started it; null if it has ended. */
const readProcess = async (pid: number): Promise<{ seconds: number; command: string } | null> => {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may contain spaces. User and system time are fields 14 and 15 (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { seconds: ticks / ticksPerSecond, command: await readFile(`/proc/${pid}/cmdline`, 'utf8') };
  } catch {
    return null;
  }
};

const childrenOf = async (pid: number): Promise<readonly number[]> =>
  (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter(Boolean).map(Number);

/** Adds up the CPU time of every trainer of this process, also of those that have ended. */
const createTrainerClock = () => {
  const seconds = new Map<number, number>();
  return async (): Promise<number> => {
    for (const pid of await childrenOf(process.pid)) {
      const read = await readProcess(pid);
      if (read?.command.includes('trainer')) seconds.set(pid, read.seconds);
    }
    return [...seconds.values()].reduce((sum, each) => sum + each, 0);
  };
};

type Row = {
  readonly id: string;
  readonly epochs: number;
  readonly verdict: string | null;
  readonly value: number | null;
};

/** Trials that have ended, with the value of their attack. */
const readEnded = async (db: Db): Promise<readonly Row[]> =>
  (
    await db.pool.query<Row>(
      `SELECT t.id, (t.hyperparameters ->> 'classifierEpochs')::int AS epochs, t.verdict, min((e.summary ->> 'robustAccuracy')::float8) AS value
       FROM trials t LEFT JOIN trial_stages l ON l.trial_id = t.id LEFT JOIN evaluations e ON e.stage_id = l.stage_id
       WHERE t.status NOT IN ('waiting', 'running') GROUP BY t.id ORDER BY t.number`,
    )
  ).rows;

const pollMs = 200;

/** Runs the search to its end. `onTrial` gets each trial as soon as it has ended. */
export const measureRealSearch = (
  { definition, data, slots }: RealSearchOptions,
  onTrial: (trial: EndedTrial) => void,
): Promise<readonly EndedTrial[]> =>
  untilInterrupted(async (onEnd) => {
    const tables = await openTables();
    onEnd(tables.close);
    const databaseUrl = await tables.create('search');
    const db = createDb(databaseUrl, { max: 2 });
    onEnd(() => db.close());
    const api = await openApi(databaseUrl);
    onEnd(api.close);
    const worker = await startWorker({
      ...{ databaseUrl, slots, backend: 'wasm', log: pino({ level: 'warn' }, pino.destination(2)) },
      ...(data === undefined ? {} : { folders: { dir: data } }),
    });
    onEnd(() => worker.stop());
    const http = createHttpClient(api.url, 1);
    onEnd(async () => http.close());
    const trainerSeconds = createTrainerClock();
    const id = await submitSweep(http, definition);
    const ended = new Map<string, EndedTrial>();
    for (;;) {
      const { status } = (await db.pool.query('SELECT status FROM sweeps WHERE id = $1', [id])).rows[0] as {
        status: string;
      };
      const seconds = await trainerSeconds();
      for (const { id, epochs, verdict, value } of await readEnded(db)) {
        if (ended.has(id)) continue;
        const trial = { seconds, epochs, value: verdict === 'masked' ? null : value };
        ended.set(id, trial);
        onTrial(trial);
      }
      if (status === 'completed') return [...ended.values()];
      if (status !== 'running')
        throw new Error(`Expected the search to complete, but its sweep is ${status}`);
      await sleep(pollMs);
    }
  });
