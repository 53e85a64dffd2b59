/** `npm run chaos`: kills processes and servers on purpose, then audits the results. The exit code is 0 only if every check holds. */
import { readFile } from 'node:fs/promises';
import type { SweepInput } from '@funnel/contracts';
import { parse } from 'yaml';
import { type Flags, program } from './options.ts';
import { type ChaosReport, runChaos } from './run-chaos.ts';
import { type ClientsReport, runClients } from './run-clients.ts';
import { runSearches, type SearchesReport } from './run-searches.ts';
import { searchCases } from './search-sweeps.ts';
import { hasRedis } from './services.ts';

const pairs = (record: Readonly<Record<string, number>>): string =>
  Object.entries(record)
    .map(([name, n]) => `${name} ${n}`)
    .join(', ');

const verdictOf = ({ ok, findings }: Pick<ChaosReport, 'ok' | 'findings'>): string =>
  ok ? 'holds' : `DOES NOT HOLD:\n  - ${findings.join('\n  - ')}`;

const describeClients = (report: ClientsReport): string =>
  `${report.clients} clients, queue on ${report.queue}: ${verdictOf(report)}\n  in ${report.seconds} s; answers: ${pairs(report.answers)}\n  ${pairs(report.counts)}`;

const describeSearches = (report: SearchesReport): string =>
  `searches, ${report.workers} workers, queue on ${report.queue}: ${verdictOf(report)}\n  in ${report.seconds} s; injected: ${pairs(report.injected) || 'nothing'}; restarts ${report.restarts}\n  ${pairs(report.counts)}\n  decisions ${report.digest}`;

const describe = (report: ChaosReport): string => {
  const verdict = verdictOf(report);
  const missed = report.notInjected.length > 0 ? `; not injected: ${report.notInjected.join(', ')}` : '';
  return `${report.training} on ${report.queue}: ${verdict}\n  in ${report.seconds} s; injected: ${pairs(report.injected)}${missed}; restarts ${report.restarts}\n  ${pairs(report.counts)}\n  results ${report.digest}, expected ${report.referenceDigest}`;
};

const flags = program.parse().opts<Flags>();
const { queue, limit, seed, step, pause } = flags;
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupted.abort());
const { signal } = interrupted;
const log = (line: string): void => void process.stderr.write(`${line}\n`);
const readSweep = async (name: string): Promise<SweepInput> => {
  try {
    return parse(await readFile(name, 'utf8')) as SweepInput; // checked by the API
  } catch (error) {
    return program.error(`--sweep: ${error instanceof Error ? error.message : error}`);
  }
};
const sweep = flags.sweep === undefined ? undefined : await readSweep(flags.sweep);
const backends = queue === 'both' ? (['postgres', 'redis'] as const) : [queue];
if (!hasRedis() && queue === 'redis')
  program.error('Expected redis-server on this machine, but there is none');
const available = backends.filter((backend) => backend === 'postgres' || hasRedis());
if (available.length < backends.length)
  log('NOT TESTED: the queue on Redis, because redis-server is missing on this machine');

type Queue = (typeof available)[number];
const reports: { readonly ok: boolean }[] = [];
const common = { seed, stepMilliseconds: step, signal, log };

/** One worker without faults, then each number of workers with faults. */
const searches = async ({ extend = false, workers = [1, 2, 4], ...flags }: Flags): Promise<void> => {
  const options = {
    cases: searchCases(flags.searchStrategy, flags.seeds, flags.configurations),
    ...{ ...common, pauseSeconds: pause, limitSeconds: limit },
  };
  const note = ({ decided: _, results: __, ...report }: SearchesReport): void => {
    reports.push(report);
  };
  const undisturbed = { workers: 1, seed: null, stepMilliseconds: 0, extend: false, delaySeconds: 0 };
  log('── searches with one worker and without faults ──');
  const expected = await runSearches({ ...options, ...undisturbed, queue: 'postgres' }, null);
  log(describeSearches(expected));
  note(expected);
  for (const queue of available)
    for (const count of workers) {
      if (signal.aborted || !expected.ok) return;
      log(`── searches with ${count} workers, queue on ${queue} ──`);
      const disturbed = { workers: count, extend, delaySeconds: flags.delay };
      const report = await runSearches({ ...options, ...disturbed, queue }, expected);
      log(describeSearches(report));
      note(report);
    }
};

const clientsOn = async (queue: Queue, clients: number, workers: number): Promise<void> => {
  log(`── ${clients} clients, queue on ${queue} ──`);
  const report = await runClients({ ...common, queue, clients, minutes: flags.minutes, workers });
  log(describeClients(report));
  reports.push(report);
};

const sweepsOn = async (queue: Queue, workers: number): Promise<void> => {
  const { unequal = false, simulated, trained, trials, postgresEvery } = flags;
  for (const training of ['simulated', 'trained'] as const) {
    const isWanted = training === 'simulated' ? unequal || simulated : !unequal && trained;
    if (signal.aborted || !isWanted) continue;
    log(`── ${training} training, queue on ${queue} ──`);
    const report = await runChaos({
      ...{ ...common, queue, training, unequal, trials, sweep, workers },
      ...{ pauseSeconds: pause, postgresEvery, limitSeconds: limit },
    });
    log(describe(report));
    reports.push(report);
  }
};

if (flags.search) await searches(flags);
else
  for (const queue of available)
    for (const count of flags.workers ?? [4])
      await (flags.clients === undefined ? sweepsOn(queue, count) : clientsOn(queue, flags.clients, count));
const ok = !signal.aborted && reports.length > 0 && reports.every((report) => report.ok);
if (flags.json) process.stdout.write(`${JSON.stringify({ ok, reports })}\n`);
process.exit(ok ? 0 : 1);
