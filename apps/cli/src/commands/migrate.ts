import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { present } from '../output/output.ts';

export const migrateCommand = (program: Command, context: () => Context): void => {
  program
    .command('migrate')
    .description('bring the database to this version')
    .action(async () => {
      const { env, output } = context();
      const [{ migrate }, { withDatabaseUrl }] = await Promise.all([
        import('@funnel/db'),
        import('../with-database.ts'),
      ]);
      const applied = await withDatabaseUrl(env, (url) => migrate(url, { onWait: output.note }));
      present(output, { applied }, () =>
        applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}`,
      );
    });
};
