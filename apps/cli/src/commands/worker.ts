import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit-codes.ts';
import { describeWorkers } from '../output/describe-workers.ts';
import { present } from '../output/output.ts';
import { isReaderGone, noteReaderGone } from '../output/streams.ts';
import { readWhole } from '../read-number.ts';

type Options = { readonly slots?: number; readonly backend?: string };

const run = async ({ slots, backend }: Options, { env, variables, output }: Context): Promise<void> => {
  if (!env.DATABASE_URL)
    throw new Exit(
      exitCodes.usage,
      'Expected DATABASE_URL: a worker joins the database of others. On one machine `funnel up` brings its own worker.',
    );
  const [
    { readEnv, startWorker, workerOptions },
    { logDestination },
    { pino },
    { endSoon, untilInterrupted },
  ] = await Promise.all([
    import('@funnel/worker'),
    import('@funnel/log'),
    import('pino'),
    import('../up/until-interrupted.ts'),
  ]);
  const interruption = untilInterrupted(() => process.exit(exitCodes.interrupted));
  const onLost = (error: NodeJS.ErrnoException): void => {
    if (isReaderGone(error)) noteReaderGone();
  };
  const options = workerOptions(readEnv(variables));
  const worker = await startWorker({
    ...options,
    slots: slots ?? options.slots,
    backend: backend ?? options.backend,
    signal: interruption.signal,
    log: pino({ level: env.FUNNEL_LOG_LEVEL }, logDestination(2, { onLost })),
  });
  output.note(
    `Worker ${worker.id}: ${worker.slots} trainers on ${worker.backend} (${worker.device}). Ctrl-C hands everything back.`,
  );
  await Promise.race([interruption.happened, worker.failed]).finally(worker.stop);
  endSoon();
  if (interruption.isReaderGone()) throw new Exit(exitCodes.readerGone);
};

export const workerCommands = (program: Command, context: () => Context): void => {
  program
    .command('worker')
    .description('add a worker to the database of DATABASE_URL (and the queue of REDIS_URL)')
    .option('--slots <number>', 'trainers (default: one per core, as memory allows)', readWhole(1))
    .option('--backend <name>', 'where tensors live (default: the best that is usable)')
    .action((options: Options) => run(options, context()));
  program
    .command('workers')
    .description('who works for this API, and on what')
    .action(async () => {
      const { client, output } = context();
      const { items } = await client().listWorkers();
      present(output, items, describeWorkers);
    });
};
