/** `npm run chaos`: kills things on purpose and audits what is left. Exit code 0 only if everything holds. */
import { readFile } from 'node:fs/promises';
import type { SweepInput } from '@funnel/contracts';
import { Command, Option } from 'commander';
import { parse } from 'yaml';
import { type ChaosReport, runChaos } from './run-chaos.ts';
import { type ClientsReport, runClients } from './run-clients.ts';
import { hasRedis } from './services.ts';

const program = new Command('chaos')
  .description(
    'Runs sweeps while processes, PostgreSQL, Redis and connections fail, then audits every result.',
  )
  .addOption(
    new Option('--queue <backend>', 'queue backend').choices(['postgres', 'redis', 'both']).default('both'),
  )
  .option('--trials <n>', 'trials of the stand-in sweep, at least', Number, 300)
  .option('--workers <n>', 'worker processes', Number, 4)
  .option('--seed <n>', 'what decides the faults', Number, 1)
  .option('--step <ms>', 'what a step of the stand-in trainer takes', Number, 40)
  .option('--pause <seconds>', 'between two faults, on the mean', Number, 2)
  .option('--postgres-every <seconds>', 'between two ends of PostgreSQL, on the mean; 0: never', Number, 5)
  .option('--limit <seconds>', 'a run that takes longer has failed', Number, 900)
  .option('--sweep <file>', 'sweep file (YAML or JSON) to train for real instead of the small one')
  .option('--no-stand-in', 'leave out the large sweep with the stand-in trainer')
  .option('--no-trained', 'leave out the smaller sweep with real training')
  .option(
    '--clients <n>',
    'instead of faults: so many clients that change sweeps with shared stages at once',
    Number,
  )
  .option('--minutes <n>', 'how long the clients do that', Number, 3)
  .option('--json', 'end with one line of JSON; progress goes to stderr');

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
  simulation: boolean;
  trained: boolean;
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
  const missed = report.notInjected.length > 0 ? `; no turn: ${report.notInjected.join(', ')}` : '';
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
  simulation,
  trained,
  clients,
  minutes,
  json,
} = program.parse().opts<Flags>();
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());
const log = (line: string): void => void process.stderr.write(`${line}\n`);
const sweep = file === undefined ? undefined : (parse(await readFile(file, 'utf8')) as SweepInput); // checked by the API
const kinds = [...(simulation ? (['stand-in'] as const) : []), ...(trained ? (['trained'] as const) : [])];
const backends = queue === 'both' ? (['postgres', 'redis'] as const) : [queue];
if (!hasRedis() && queue === 'redis')
  program.error('Expected redis-server on this machine, but there is none', { exitCode: 2 });
const there = backends.filter((backend) => backend === 'postgres' || hasRedis());
if (there.length < backends.length)
  log('NOT TESTED: the queue on Redis, because redis-server is missing on this machine');
const reports: (ChaosReport | ClientsReport)[] = [];
for (const backend of there) {
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
const ok = !interrupted.signal.aborted && reports.every((report) => report.ok);
if (json) process.stdout.write(`${JSON.stringify({ ok, reports })}\n`);
process.exit(ok ? 0 : 1);
