/** `bench load`: the time of the API's answers, how it grows with the tables, and the time of Fastify and of PostgreSQL alone. */
import { z } from 'zod';
import { measureBare, measureSize, type SizeReport } from './measure-load.ts';
import { readOptions } from './options.ts';
import { untilInterrupted } from './processes.ts';
import { openTables } from './service.ts';

export const loadUsage = `load [--trials 1000,10000,100000] [--metrics 10000000] [--submit 10000] [--streams 200] [--clients 2] [--json]
  Times lists, trials and leaderboards over HTTP on tables of these sizes, submissions, and clients of the event stream, on a private
  PostgreSQL. --metrics: numbers in the largest tables; smaller tables have fewer in proportion. --calls, --seconds: limits for each question.`;

const count = (defaultValue: number) => z.coerce.number().pipe(z.int().min(1)).default(defaultValue);

const Options = z.strictObject({
  trials: z
    .string()
    .default('1000,10000,100000')
    .transform((text) => text.split(',').map(Number))
    .pipe(z.array(z.int().min(10).max(1_000_000)).min(1)),
  metrics: count(10_000_000),
  submit: count(10_000),
  streams: count(200),
  changes: count(50),
  clients: count(2),
  calls: count(400),
  seconds: count(10),
  json: z.boolean().default(false),
});

/** Targets at the largest size: milliseconds of an answer, seconds of a submission and of the plan of a collection. */
const targets = { answer: 50, submission: 3, collection: 5 };

const sweeps = 10;
/** Epochs of the classifier of every trial. */
const classifierEpochs = 3;
const metricsPerEpoch = 3;

const table = (sizes: readonly SizeReport[]): readonly string[] => {
  const wide = 40;
  const cell = (text: string): string => text.padStart(26);
  const rows = sizes[0]!.answers.map(({ name }, i) => {
    const cells = sizes.map(({ answers }) => {
      const { service, sql } = answers[i]!;
      return cell(`${service.p50} / ${service.p99} (${sql.p50} / ${sql.p99})`);
    });
    return name.padEnd(wide) + cells.join('');
  });
  return [
    'milliseconds p50 / p99 (the same SQL alone)',
    `${'trials'.padEnd(wide)}${sizes.map(({ trials }) => cell(String(trials))).join('')}`,
    `${'numbers of training curves'.padEnd(wide)}${sizes.map(({ metrics }) => cell(String(metrics))).join('')}`,
    ...rows,
    `${`submission of ${sizes[0]!.submissions.trials}, s`.padEnd(wide)}${sizes.map(({ submissions }) => cell(submissions.seconds.join(', '))).join('')}`,
    `${'plan of a collection: many, none, s'.padEnd(wide)}${sizes.map(({ collections }) => cell(`${collections.many.seconds}, ${collections.none.seconds}`)).join('')}`,
    `${`event to ${sizes[0]!.streams.clients} clients`.padEnd(wide)}${sizes.map(({ streams }) => cell(`${streams.delay.p50} / ${streams.delay.p99}`)).join('')}`,
  ];
};

const missedTargets = ({ trials, answers, submissions, collections }: SizeReport): readonly string[] => [
  ...answers
    .filter(({ service }) => service.p99 > targets.answer)
    .map(
      ({ name, service }) =>
        `${name} at ${trials} trials: p99 ${service.p99} ms, expected at most ${targets.answer} ms`,
    ),
  ...Object.values(collections)
    .filter(({ seconds }) => seconds > targets.collection)
    .map(
      ({ checkpoints, seconds }) =>
        `plan of a collection of ${checkpoints} checkpoints at ${trials} trials: ${seconds} s, expected at most ${targets.collection} s`,
    ),
  ...submissions.seconds
    .filter((seconds) => seconds > targets.submission)
    .map(
      (seconds) =>
        `submission of ${submissions.trials} trials: ${seconds} s, expected at most ${targets.submission} s`,
    ),
];

const measure = async (
  options: z.infer<typeof Options>,
  log: (line: string) => void,
  onEnd: (end: () => Promise<void>) => void,
) => {
  const { trials, metrics, submit, streams, changes, calls, seconds, clients } = options;
  const bounds = { calls, seconds, clients };
  const maxTrials = Math.max(...trials);
  const epochs = Math.max(1, Math.round(metrics / (maxTrials * metricsPerEpoch)) - classifierEpochs);
  const bare = await measureBare(bounds);
  log(`bare Fastify: p99 ${bare.p99} ms`);
  const tables = await openTables();
  onEnd(tables.close);
  const sizes: SizeReport[] = [];
  for (const size of trials)
    sizes.push(await measureSize(tables, size, { bounds, sweeps, epochs, submit, streams, changes, log }));
  return { bare, sizes };
};

export const load = async (args: readonly string[]): Promise<void> => {
  const options = readOptions(Options, args);
  const log = (line: string): void => console.error(line);
  const { bare, sizes } = await untilInterrupted((onEnd) => measure(options, log, onEnd));
  const missed = missedTargets(sizes.at(-1)!);
  if (options.json) console.log(JSON.stringify({ bare, sizes, targets, missed }));
  else {
    console.log(
      `bare Fastify: ${bare.p50} / ${bare.p99} ms, ${bare.perSecond} requests/s, ${options.clients} clients`,
    );
    for (const line of table(sizes)) console.log(line);
    console.log(missed.length === 0 ? 'Every target is met.' : `MISSED:\n  ${missed.join('\n  ')}`);
  }
  const wrong = sizes.reduce((sum, { streams }) => sum + streams.wrong, 0);
  if (wrong > 0) {
    console.error(
      `Expected every client of the event stream to receive every event once and in order, but ${wrong} did not.`,
    );
    process.exitCode = 1;
  }
};
