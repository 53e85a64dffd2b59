import { resolve } from 'node:path';
import { backendChoices, plural, slotLimit } from '@funnel/contracts';
import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import type { Finding } from '../doctor.ts';
import { Exit, exitCodes } from '../exit.ts';
import { embeddedFolder, readAddress } from '../home.ts';

import { describeLogLine } from '../output/log-lines.ts';
import { describeWorkerLog, describeWorkers } from '../output/service.ts';
import { endSoon, isReaderGone, noteReaderGone, present, untilInterrupted } from '../output/terminal.ts';
import type { UpOptions } from '../up/up.ts';
import { readWhole } from '../values.ts';

type WorkerOptions = { readonly slots?: number; readonly backend?: string };

type Joined = { readonly url: string; readonly leave: () => Promise<void> };

/** The database of DATABASE_URL, else the embedded one of the Funnel that runs in this folder. `leave`: call it when the worker has ended. */
const joinDatabase = async ({ env }: Context): Promise<Joined> => {
  if (env.DATABASE_URL) return { url: env.DATABASE_URL, leave: async () => {} };
  const address = readAddress(env.FUNNEL_HOME);
  if (!address)
    throw new Exit(
      exitCodes.usage,
      `No Funnel runs in ${resolve(env.FUNNEL_HOME)}, and DATABASE_URL is not set.\n→ Start Funnel in this folder with \`npm start\`, or set DATABASE_URL to the database that the worker works for.`,
    );
  if (!address.embedded)
    throw new Exit(
      exitCodes.usage,
      `The Funnel in ${resolve(env.FUNNEL_HOME)} uses the PostgreSQL of its own DATABASE_URL.\n→ Set the same DATABASE_URL for the worker.`,
    );
  const { startEmbedded } = await import('@funnel/db');
  // The server runs already. It goes on until its last user has ended, so Funnel and worker may end in any order.
  const { url, stop } = await startEmbedded({ dir: embeddedFolder(env.FUNNEL_HOME) });
  return { url, leave: stop };
};

const runWorker = async ({ slots, backend }: WorkerOptions, context: Context): Promise<void> => {
  const { env, variables, output } = context;
  const database = await joinDatabase(context);
  const [{ readEnv, startWorker, workerOptions }, { logDestination }, { pino }] = await Promise.all([
    import('@funnel/worker'),
    import('@funnel/log'),
    import('pino'),
  ]);
  const interruption = untilInterrupted(() => process.exit(exitCodes.interrupted));
  const onLost = (error: NodeJS.ErrnoException): void => {
    if (isReaderGone(error)) noteReaderGone();
  };
  const isForPerson = output.columns() !== null && !output.json;
  const lines = { write: (text: string): void => output.note(describeLogLine(text)) };
  const options = workerOptions(readEnv({ ...variables, DATABASE_URL: database.url }));
  const worker = await startWorker({
    ...options,
    slots: slots ?? options.slots,
    backend: backend ?? options.backend,
    signal: interruption.signal,
    log: pino({ level: env.FUNNEL_LOG_LEVEL }, isForPerson ? lines : logDestination(2, { onLost })),
  });
  output.note(
    `Worker ${worker.id}: ${plural(worker.slots, 'trainer')} on ${worker.backend} (${worker.device}). Ctrl-C returns all work to the queue.`,
  );
  await Promise.race([interruption.happened, worker.failed]).finally(worker.stop).finally(database.leave);
  output.note(
    `Worker ${worker.id} has stopped. ${worker.notClosed().length === 0 ? 'All its work is back in the queue.' : 'Another worker takes its stages when their leases have ended.'}`,
  );
  endSoon();
  if (interruption.isReaderGone()) throw new Exit(exitCodes.readerGone);
};

const verdictMarks = { ok: '✓', note: '·', fault: '✗' } as const;

const describeFindings = (findings: readonly Finding[]): string =>
  findings
    .map(
      ({ verdict, what, detail, hint }) =>
        `${verdictMarks[verdict]} ${what.padEnd(20)} ${detail}${hint ? `\n${' '.repeat(23)}→ ${hint}` : ''}`,
    )
    .join('\n');

/** Only `up`, `worker` and `doctor` need the packages of the service. They load these when they run. */
export const serviceCommands = (program: Command, context: () => Context): void => {
  program
    .command('up')
    .description(
      'run everything on this machine: database, API, dashboard and a worker; on an empty database, the quickstart sweep',
    )
    .option('--once', 'run the quickstart sweep, print its leaderboard, and end')
    .addOption(
      new Option(
        '--port <number>',
        'port of the API; if it is taken, Funnel chooses another one (default: FUNNEL_PORT, 7070)',
      ).argParser(readWhole(0, 65_535)),
    )
    .option(
      '--slots <number>',
      'number of trainers (default: FUNNEL_SLOTS, else one per core)',
      readWhole(1, slotLimit),
    )
    .option('--data <folder>', 'folder with data sets (default: FUNNEL_DATA)')
    .option(
      '--host <address>',
      'address on which the API listens; every address except loopback needs tokens (default: FUNNEL_HOST, 127.0.0.1)',
    )
    .action(async (options: UpOptions) => {
      const { up } = await import('../up/up.ts');
      await up(options, context());
    });
  program
    .command('worker')
    .description(
      'add a worker to the Funnel that runs in this folder, or to the database of DATABASE_URL (and the queue of REDIS_URL)',
    )
    .option(
      '--slots <number>',
      'number of trainers (default: one per core, or fewer if memory is short)',
      readWhole(1, slotLimit),
    )
    .addOption(
      new Option(
        '--backend <name>',
        'the backend of the trainers (default: the best that works on this machine)',
      ).choices(backendChoices),
    )
    .action((options: WorkerOptions) => runWorker(options, context()));
  const workers = program
    .command('workers')
    .description('list the workers, their hardware, and the stages that they run or have handed back')
    .action(async () => {
      const { client, output } = context();
      const { items } = await client().listWorkers();
      present(output, items, describeWorkers);
    });
  workers
    .command('log')
    .description('show when the newest attempts of a worker began and ended, and their errors')
    .argument('<worker>', 'its id, as `npx funnel workers` lists it')
    .action(async (id: string) => {
      const { client, output } = context();
      const { items } = await client().getWorkerLog({ params: { id } });
      present(output, items, describeWorkerLog);
    });
  workers
    .command('restore')
    .description('use a worker again that was set aside or has handed stages back')
    .argument('<worker>')
    .action(async (id: string) => {
      const { client, output } = context();
      present(output, await client().restoreWorker({ params: { id } }), (worker) =>
        describeWorkers([worker]),
      );
    });
  program
    .command('doctor')
    .description(
      'check Node, database, queue, data sets, backends and limits, and say how to install missing parts',
    )
    .action(async () => {
      const { env, output, client } = context();
      const [{ examine }, { examineService }] = await Promise.all([
        import('../doctor.ts'),
        import('../doctor-service.ts'),
      ]);
      const findings = [...(await examine(env)), ...(await examineService(client))];
      present(output, findings, describeFindings);
      if (findings.some(({ verdict }) => verdict === 'fault')) throw new Exit(exitCodes.failed);
    });
};
