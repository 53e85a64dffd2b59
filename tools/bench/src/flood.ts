/** `bench flood`: several very large sweeps at once, while another client asks small questions; then all are cancelled and deleted. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Submission, SweepDetail, type SweepInput } from '@funnel/contracts';
import { createDb } from '@funnel/db';
import { z } from 'zod';
import { readOptions } from './options.ts';
import { openApi, untilInterrupted } from './processes.ts';
import { openTables } from './service.ts';

export const floodUsage = `flood [--sweeps 4] [--trials 100000] [--same]
  Submits sweeps of so many trials at once, on a private PostgreSQL, then pauses, cancels and deletes all of them. Prints the time of each
  answer, of /healthz and of small requests meanwhile, and the memory of the API with its planning processes. The sweeps share one stage; with
  --same they share all of them.`;

const count = (standard: number) => z.coerce.number().pipe(z.int().min(1)).default(standard);
const Options = z.strictObject({
  sweeps: count(4),
  trials: count(100_000),
  same: z.boolean().default(false),
});

/** A random search over γ: every trial has an optimisation, a classifier and attacks of its own. Equal rounds share all stages. */
const definitionOf = (trials: number, round: number): SweepInput => ({
  name: `flood ${round}`,
  dataset: { name: 'glyphs', train: 100, test: 20, attack: 4 },
  recipes: ['funn'],
  space: { gamma: { min: 1, max: 64 } },
  search: { strategy: 'random', trials, seed: round },
  attacks: ['fgsm'],
});

/** Null when the process has ended in between, or where there is no /proc. */
const readProc = (pid: string, file: 'stat' | 'status'): string | null => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return null;
  }
};

/** Memory of a process and all of its descendants, in MiB; 0 where there is no /proc. */
const treeMegabytes = (root: number): number => {
  const pids = existsSync('/proc') ? readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)) : [];
  const parents = new Map<number, number>();
  for (const pid of pids) {
    const stat = readProc(pid, 'stat');
    if (stat) parents.set(Number(pid), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const belongs = (pid: number): boolean => pid === root || (parents.has(pid) && belongs(parents.get(pid)!));
  const kilobytes = [...parents.keys()].filter(belongs).map((pid) => {
    const [, text = '0'] = /VmRSS:\s+(\d+)/.exec(readProc(String(pid), 'status') ?? '') ?? [];
    return Number(text);
  });
  return Math.round(kilobytes.reduce((sum, value) => sum + value, 0) / 1024);
};

type Timed = { readonly status: number; readonly seconds: number; readonly location: string | null };

const call = async (url: string, method: string, path: string, body?: unknown): Promise<Timed> => {
  const start = performance.now();
  const response = await fetch(new URL(path, url), {
    method,
    ...(body !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  await response.text();
  const seconds = Math.round((performance.now() - start) / 10) / 100;
  return { status: response.status, seconds, location: response.headers.get('location') };
};

const submissionAt = async (url: string, id: string): Promise<Submission> => {
  const response = await fetch(new URL(`/v1/submissions/${id}`, url));
  return Submission.parse(await response.json());
};

const sweepAt = async (url: string, id: string): Promise<SweepDetail> =>
  SweepDetail.parse(await (await fetch(new URL(`/v1/sweeps/${id}`, url))).json());

/** Asks again and again, and keeps the times. */
const askAgain = (ask: () => Promise<Timed>, pauseMs: number) => {
  const times: Timed[] = [];
  const ended = new AbortController();
  const running = (async () => {
    while (!ended.signal.aborted) {
      times.push(await ask());
      await sleep(pauseMs, undefined, { signal: ended.signal }).catch(() => {});
    }
  })();
  return {
    end: async (): Promise<string> => {
      ended.abort();
      await running;
      const slowest = Math.max(...times.map(({ seconds }) => seconds));
      const failed = times.filter(({ status }) => status >= 400).length;
      return `${times.length} requests, slowest ${slowest} s, ${failed} failed`;
    },
  };
};

const textOf = (times: readonly Timed[]): string =>
  times.map(({ status, seconds }) => `${status} after ${seconds} s`).join(', ');

const measure = async (
  { sweeps, trials, same }: z.infer<typeof Options>,
  onEnd: (end: () => Promise<void>) => void,
): Promise<void> => {
  const tables = await openTables();
  onEnd(tables.close);
  const databaseUrl = await tables.create('flood');
  const db = createDb(databaseUrl, { max: 2 });
  onEnd(db.close);
  const api = await openApi(databaseUrl);
  onEnd(api.close);
  const { url, pid } = api;
  let maxMemory = 0;
  const memory = setInterval(() => {
    maxMemory = Math.max(maxMemory, treeMegabytes(pid));
  }, 500);
  onEnd(async () => clearInterval(memory));
  const megabytesOfDisk = async () =>
    Math.round((await db.pool.query('SELECT pg_database_size(current_database()) AS n')).rows[0].n / 2 ** 20);
  console.log(`memory before: ${treeMegabytes(pid)} MiB; disk ${await megabytesOfDisk()} MiB`);

  let round = 0;
  const small = (round: number): SweepInput => ({
    ...definitionOf(1, 1_000_000 + round),
    dataset: { name: 'glyphs', train: 101, test: 20, attack: 4 },
  });
  const watchers = {
    '/healthz': askAgain(() => call(url, 'GET', '/healthz'), 100),
    leaderboard: askAgain(() => call(url, 'GET', '/v1/leaderboard'), 100),
    'plan of 1,000 trials': askAgain(
      () => call(url, 'POST', '/v1/sweeps/plan', definitionOf(1000, 77)),
      1000,
    ),
    'submission of one trial': askAgain(() => call(url, 'POST', '/v1/sweeps', small(++round)), 1000),
  };
  const report = async (): Promise<void> => {
    for (const [name, watcher] of Object.entries(watchers)) console.log(`  ${name}: ${await watcher.end()}`);
  };

  const start = performance.now();
  const elapsed = (from = start): string => `${Math.round((performance.now() - from) / 1000)} s`;
  const answers = await Promise.all(
    Array.from({ length: sweeps }, (_, round) =>
      call(url, 'POST', '/v1/sweeps', definitionOf(trials, same ? 0 : round)),
    ),
  );
  console.log(`answers: ${textOf(answers)}`);
  const ids: string[] = [];
  for (const { location } of answers) {
    const id = location?.split('/').at(-1) ?? '';
    if (location?.startsWith('/v1/sweeps/')) ids.push(id);
    else
      for (;;) {
        const { status, sweepId, problem } = await submissionAt(url, id);
        if (sweepId !== null) ids.push(sweepId);
        if (problem) console.log(`refused: ${problem.detail}`);
        if (status === 'completed' || status === 'refused') break;
        await sleep(1000);
      }
    console.log(`  written after ${elapsed()}`);
  }
  console.log(`written: ${ids.length} sweeps in ${elapsed()}`);
  const isConnecting = async (id: string) => (await sweepAt(url, id)).action !== null;
  while ((await Promise.all(ids.map(isConnecting))).includes(true)) await sleep(1000);
  console.log(`connected after ${elapsed()}; disk ${await megabytesOfDisk()} MiB; meanwhile`);
  await report();

  const act = async (method: string, path: (id: string) => string): Promise<string> =>
    textOf(await Promise.all(ids.map((id) => call(url, method, path(id)))));
  console.log(`pause: ${await act('POST', (id) => `/v1/sweeps/${id}/pause`)}`);
  console.log(`cancel: ${await act('POST', (id) => `/v1/sweeps/${id}/cancel`)}`);
  const deleting = performance.now();
  console.log(`delete: ${await act('DELETE', (id) => `/v1/sweeps/${id}`)}`);
  const again = askAgain(() => call(url, 'GET', '/healthz'), 100);
  const exists = async (id: string) => (await call(url, 'GET', `/v1/sweeps/${id}`)).status === 200;
  while ((await Promise.all(ids.map(exists))).includes(true)) await sleep(1000);
  console.log(`deleted ${elapsed(deleting)} after the request; /healthz meanwhile: ${await again.end()}`);
  const { rows } = await db.pool.query(
    "SELECT count(*)::int AS n FROM stages WHERE dataset ->> 'train' = '100'",
  );
  console.log(
    `stages left: ${rows[0].n}; disk ${await megabytesOfDisk()} MiB; memory after: ${treeMegabytes(pid)} MiB, at most ${maxMemory} MiB`,
  );
};

export const flood = async (args: readonly string[]): Promise<void> => {
  const options = readOptions(Options, args);
  await untilInterrupted((onEnd) => measure(options, onEnd));
};
