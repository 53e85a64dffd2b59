import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { readWhole } from '../read-number.ts';
import type { UpOptions } from '../up/up.ts';

export const upCommand = (program: Command, context: () => Context): void => {
  program
    .command('up')
    .description(
      'run everything on this machine: database, API, dashboard and a worker; on an empty database, the quickstart sweep',
    )
    .option('--once', 'exit after the leaderboard of the quickstart sweep')
    .addOption(
      new Option(
        '--port <number>',
        'of the API; a free one where it is taken (default: FUNNEL_PORT, 7070)',
      ).argParser(readWhole(0, 65_535)),
    )
    .option(
      '--host <address>',
      'to listen on; any but loopback needs tokens (default: FUNNEL_HOST, 127.0.0.1)',
    )
    .action(async (options: UpOptions) => {
      const { up } = await import('../up/up.ts');
      await up(options, context());
    });
};
