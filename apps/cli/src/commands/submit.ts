import { FunnelError } from '@funnel/client';
import { describeAwaited, formatDuration, plural, type Submission } from '@funnel/contracts';
import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { formatTable } from '../output/format.ts';
import { describeLeaderboard } from '../output/leaderboard.ts';
import { describeMadeAnew, describePlan, describeWarnings } from '../output/plan.ts';
import { countsText, describeNextStep, describeSweep } from '../output/sweeps.ts';
import { present } from '../output/terminal.ts';
import { describeFileProblem, placeIssues } from '../problems.ts';
import { findSweep, firstOnly, readTroubles } from '../requests.ts';
import { type Change, readChange, readSweepFile } from '../sweep-file.ts';
import { readLine, readTag, readWhole, sweepWords } from '../values.ts';
import { readLeaderboard, untilAnswered, watchSweep } from '../watch.ts';

type Options = {
  readonly watch?: boolean;
  readonly timeout?: number;
  readonly key?: string;
  readonly tag?: string[];
  readonly set?: readonly Change[];
};

const withChanges = (command: Command): Command =>
  command.option(
    '--set <path=value>',
    'replace a value of the file, such as dataset.train=3000 or seeds=2; may be repeated',
    readChange,
  );

/** A timer of Node waits for at most 24 days. */
const maxTimeout = 2_000_000;

const timeoutOption = (): Option =>
  new Option('--timeout <seconds>', 'stop watching after this time; the sweep goes on').argParser(
    readWhole(1, maxTimeout),
  );

/** Aborted by Ctrl-C, or after `timeout` seconds. */
const endOfWatch = ({ signal }: Context, timeout: number | undefined): AbortSignal => {
  if (timeout === undefined) return signal;
  // Node 20 may collect an `AbortSignal.timeout` that only `AbortSignal.any` holds; then it never aborts. A timer keeps its controller.
  const late = new AbortController();
  setTimeout(() => late.abort(), timeout * 1000).unref();
  return AbortSignal.any([signal, late.signal]);
};

/** Watches a sweep to its end and prints its leaderboard. Throws Exit with `incomplete` unless every trial completed. */
const watchToEnd = async (context: Context, idOrName: string, timeout?: number): Promise<void> => {
  const { output } = context;
  const client = context.client();
  const signal = endOfWatch(context, timeout);
  const sweepId = await findSweep(client, idOrName);
  const again = `Watch it again: \`npx funnel watch ${sweepId}\``;
  const sweep = await watchSweep(client, sweepId, output, signal).catch((error: unknown) => {
    if (context.signal.aborted) output.note(`The sweep goes on. ${again}`);
    else if (signal.aborted)
      throw new Exit(
        exitCodes.tooLate,
        `The sweep had not ended after ${formatDuration(timeout!)}. It goes on. ${again}`,
      );
    throw error;
  });
  const ask = <T>(read: () => Promise<T>): Promise<T> => untilAnswered(read, output, signal);
  const { attack, rows, isComplete, notes } = await ask(() => readLeaderboard(client, sweep, output));
  present(output, { sweep, leaderboard: rows }, () => describeLeaderboard(rows, { attack, notes }));
  if (!isComplete)
    output.note(firstOnly(rows.length, 'row', `\`npx funnel export --sweep ${sweepId}\` has all.`));
  if (sweep.status === 'completed') return;
  const troubles = await ask(() => readTroubles(client, sweep));
  throw new Exit(
    exitCodes.incomplete,
    [
      `Not every trial completed: ${countsText(sweep.trials)}.`,
      ...troubles,
      ...(sweep.status === 'cancelled' ? describeNextStep(sweep) : []),
    ].join('\n'),
  );
};

/** Rejects with words about the file when the API refuses the sweep that the file holds. */
const ofFile = <T>(file: string, changes: readonly Change[] | undefined, asked: Promise<T>): Promise<T> =>
  asked.catch(async (error: unknown) => {
    if (!(error instanceof FunnelError && error.answered)) throw error;
    const { placesInFile } = await import('../sweep-lines.ts');
    const name = file === '-' ? 'The sweep' : file;
    const call = { onlyReads: error.onlyReads, placeOf: placesInFile(file, changes) };
    throw new Exit(
      exitCodes.refused,
      describeFileProblem(name, error.problem, call),
      placeIssues(error.problem, call.placeOf),
    );
  });

/** Says where a large submission is in the queue, whenever that has changed. */
const noteChanges = (output: Context['output']): ((submission: Submission) => void) => {
  let last = '';
  return ({ id, status, ahead }) => {
    const text =
      status === 'waiting'
        ? `Submission ${id} waits: ${plural(ahead, 'submission')} before it. It goes on without this command.`
        : `Submission ${id} is being written. It goes on without this command.`;
    if (text !== last && (status === 'waiting' || status === 'running')) output.note(text);
    last = text;
  };
};

const submit = async (
  file: string,
  { watch, timeout, key, tag = [], set }: Options,
  context: Context,
): Promise<void> => {
  const { output } = context;
  if (timeout !== undefined && !watch)
    throw new Exit(exitCodes.usage, '--timeout is the time for --watch: give both, or leave out --timeout');
  const body = readSweepFile(file, set);
  let isRepeated = false;
  const onRepeated = (): void => {
    isRepeated = true;
  };
  const sweep = await ofFile(
    file,
    set,
    context.client().createSweep(
      {
        body,
        query: { tag },
        ...(key !== undefined ? { headers: { 'idempotency-key': key } } : {}),
      },
      { signal: context.signal, onSubmission: noteChanges(output), onRepeated },
    ),
  );
  if (sweep.status === 'cancelling' || sweep.status === 'cancelled')
    throw new Exit(
      exitCodes.incomplete,
      `The key ${key} belongs to sweep ${sweep.id}, which was cancelled, so nothing runs.\n→ Submit again with another --key, or without one.`,
    );
  const { tags = [] } = sweep;
  if (tag.some((each) => !tags.includes(each)))
    output.note(
      `The key ${key} belongs to sweep ${sweep.id}, which keeps its tags. \`npx funnel tag ${sweep.id} ${tag.join(' ')}\` adds others.`,
    );
  if (isRepeated)
    output.note(
      `The sweep ${sweep.name} (${sweep.id}) was already submitted with this key: no sweep is added.`,
    );
  for (const line of [...describeMadeAnew(sweep.plan), ...describeWarnings(sweep.plan)]) output.note(line);
  const awaited = describeAwaited(sweep.plan);
  if (!watch) {
    present(output, sweep, describeSweep);
    if (awaited !== '' && !isRepeated)
      output.note(`${plural(sweep.plan.epochs.needed, 'epoch')} to train; ${awaited}`);
    return output.note(`Watch it: \`npx funnel watch ${sweep.id}\``);
  }
  if (isRepeated) return watchToEnd(context, sweep.id, timeout);
  output.note(
    `Sweep ${sweep.id} submitted: ${sweep.search ? 'at most ' : ''}${plural(sweep.plan.trials, 'trial')}, ${plural(sweep.plan.epochs.needed, 'epoch')} to train${awaited === '' ? '' : `; ${awaited}`}.`,
  );
  await watchToEnd(context, sweep.id, timeout);
};

const describeSubmissions = (submissions: readonly Submission[]): string =>
  submissions.length === 0
    ? 'No submission waits.'
    : formatTable<Submission>(
        [
          { title: 'submission', value: ({ id }) => id },
          { title: 'status', value: ({ status }) => status },
          { title: 'before it', value: ({ ahead }) => String(ahead), align: 'right' },
          { title: 'name', value: ({ name }) => name },
          { title: 'refused because', value: ({ problem }) => problem?.detail ?? '' },
        ],
        submissions,
      );

export const submitCommands = (program: Command, context: () => Context): void => {
  withChanges(program.command('submit').description('submit a sweep from a JSON or YAML file (- is stdin)'))
    .argument('<file>', 'the sweep, such as examples/quickstart.yaml')
    .option('-w, --watch', 'show the progress until the sweep has ended, then the leaderboard')
    .addOption(timeoutOption())
    .option(
      '--key <key>',
      'a word of your own: submitted again with the same key, the same sweep is not made twice',
      readLine,
    )
    .option('--tag <tag>', 'a tag of the new sweep, such as baseline; may be repeated', readTag)
    .action((file: string, options: Options) => submit(file, options, context()));
  program
    .command('submissions')
    .description('list the large submissions that wait or run, and those that were refused')
    .option('--withdraw <id>', 'withdraw a submission whose sweep is not written yet')
    .action(async ({ withdraw }: { readonly withdraw?: string }) => {
      const { client, output } = context();
      if (withdraw !== undefined) await client().withdrawSubmission({ params: { id: withdraw } });
      const { items } = await client().listSubmissions({ query: { limit: 1000 } });
      present(output, items, describeSubmissions);
    });
  program
    .command('watch')
    .description('show the progress of a sweep until it has ended')
    .argument('<sweep>', sweepWords)
    .addOption(timeoutOption())
    .action((id: string, { timeout }: Pick<Options, 'timeout'>) => watchToEnd(context(), id, timeout));
  withChanges(
    program
      .command('plan')
      .description('show the trials, stages and epochs of a sweep, with and without sharing; writes nothing'),
  )
    .argument('<file>', 'the sweep (- is stdin)')
    .action(async (file: string, { set }: Options) => {
      const { client, output } = context();
      const plan = await ofFile(file, set, client().planSweep({ body: readSweepFile(file, set) }));
      present(output, plan, (each) => describePlan(each, output.resultColumns()));
    });
};
