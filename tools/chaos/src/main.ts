/** `npm run chaos`: kills processes and servers on purpose, then audits the results. The exit code is 0 only if every check holds. */
import { readFile } from 'node:fs/promises';
import type { SweepInput } from '@funnel/contracts';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parse } from 'yaml';
import { type ChaosReport, runChaos } from './run-chaos.ts';
import { type ClientsReport, runClients } from './run-clients.ts';
import { hasRedis } from './services.ts';

/** A number from `min`. Whole, unless it counts seconds or minutes. */
const from =
  (min: number, { isWhole = true } = {}) =>
  (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value >= min && value < 1e9 && (!isWhole || Number.isInteger(value))) return value;
    throw new InvalidArgumentError(`Expected a ${isWhole ? 'whole ' : ''}number from ${min}.`);
  };

const program = new Command('chaos')
  .description(
    'Runs sweeps while processes, PostgreSQL, Redis and connections fail, then audits every result.',
  )
  .addOption(
    new Option('--queue <backend>', 'queue backend').choices(['postgres', 'redis', 'both']).default('both'),
  )
  .option('--trials <n>', 'minimum number of trials of the simulated sweep', from(1), 300)
  .option('--workers <n>', 'worker processes', from(1), 4)
  .option('--seed <n>', 'seed of the faults', from(0), 1)
  .option('--step <ms>', 'time of a step of the simulated trainer', from(0), 40)
  .option('--pause <seconds>', 'mean time between two faults', from(0, { isWhole: false }), 2)
  .option(
    '--postgres-every <seconds>',
    'mean time between two crashes or restarts of PostgreSQL; 0: never',
    from(0, { isWhole: false }),
    5,
  )
  .option('--limit <seconds>', 'a run that takes longer fails', from(1), 900)
  .option('--sweep <file>', 'sweep file (YAML or JSON) of the run with real training')
  .option(
    '--unequal',
    'the large sweep on workers of unequal ability: without the data, with half the memory, failing at everything',
  )
  .option('--no-simulated', 'omit the large sweep with the simulated trainer')
  .option('--no-trained', 'omit the small sweep with real training')
  .option(
    '--clients <n>',
    'instead of faults: this many concurrent clients that change sweeps with shared stages',
    from(1),
  )
  .option('--minutes <n>', 'how long the clients work', from(0, { isWhole: false }), 3)
  .option('--json', 'end with one line of JSON; progress goes to stderr')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));

type Flags = {
  queue: 'postgres' | 'redis' | 'both';
  trials: number;
  workers: number;
  seed: number;
  step: number;
  pause: number;
  postgresEvery: number;
  limit: number;
  sweep?: string;
  simulated: boolean;
  trained: boolean;
  unequal?: true;
  clients?: number;
  minutes: number;
  json?: true;
};

const pairs = (record: Readonly<Record<string, number>>): string =>
  Object.entries(record)
    .map(([name, n]) => `${name} ${n}`)
    .join(', ');

const verdictOf = ({ ok, findings }: Pick<ChaosReport, 'ok' | 'findings'>): string =>
  ok ? 'holds' : `DOES NOT HOLD:\n  - ${findings.join('\n  - ')}`;

const describeClients = (report: ClientsReport): string =>
  `${report.clients} clients, queue on ${report.queue}: ${verdictOf(report)}\n  in ${report.seconds} s; answers: ${pairs(report.answers)}\n  ${pairs(report.counts)}`;

const describe = (report: ChaosReport): string => {
  const verdict = verdictOf(report);
  const missed = report.notInjected.length > 0 ? `; not injected: ${report.notInjected.join(', ')}` : '';
  return `${report.training} on ${report.queue}: ${verdict}\n  in ${report.seconds} s; injected: ${pairs(report.injected)}${missed}; restarts ${report.restarts}\n  ${pairs(report.counts)}\n  results ${report.digest}, expected ${report.referenceDigest}`;
};

const {
  queue,
  trials,
  workers,
  seed,
  step,
  pause,
  postgresEvery,
  limit,
  sweep: file,
  simulated,
  trained,
  unequal = false,
  clients,
  minutes,
  json,
} = program.parse().opts<Flags>();
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());
const log = (line: string): void => void process.stderr.write(`${line}\n`);
const readSweep = async (name: string): Promise<SweepInput> => {
  try {
    return parse(await readFile(name, 'utf8')) as SweepInput; // checked by the API
  } catch (error) {
    return program.error(`--sweep: ${error instanceof Error ? error.message : error}`);
  }
};
const sweep = file === undefined ? undefined : await readSweep(file);
const kinds = unequal
  ? (['simulated'] as const)
  : [...(simulated ? (['simulated'] as const) : []), ...(trained ? (['trained'] as const) : [])];
const backends = queue === 'both' ? (['postgres', 'redis'] as const) : [queue];
if (!hasRedis() && queue === 'redis')
  program.error('Expected redis-server on this machine, but there is none');
const available = backends.filter((backend) => backend === 'postgres' || hasRedis());
if (available.length < backends.length)
  log('NOT TESTED: the queue on Redis, because redis-server is missing on this machine');
const reports: (ChaosReport | ClientsReport)[] = [];
for (const backend of available) {
  if (clients !== undefined) {
    log(`── ${clients} clients, queue on ${backend} ──`);
    const report = await runClients({
      ...{ queue: backend, clients, minutes, workers, seed, log },
      stepMilliseconds: step,
      signal: interrupted.signal,
    });
    log(describeClients(report));
    reports.push(report);
    continue;
  }
  for (const training of kinds) {
    if (interrupted.signal.aborted) break;
    log(`── ${training} training, queue on ${backend} ──`);
    const report = await runChaos({
      queue: backend,
      training,
      unequal,
      trials,
      sweep,
      workers,
      seed,
      stepMilliseconds: step,
      pauseSeconds: pause,
      postgresEvery,
      limitSeconds: limit,
      signal: interrupted.signal,
      log,
    });
    log(describe(report));
    reports.push(report);
  }
}
const ok = !interrupted.signal.aborted && reports.length > 0 && reports.every((report) => report.ok);
if (json) process.stdout.write(`${JSON.stringify({ ok, reports })}\n`);
process.exit(ok ? 0 : 1);
