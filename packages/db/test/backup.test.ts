/** Backup and restore of a PostgreSQL that the user runs, with exactly the commands of docs/operations.md. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { createDb, reconcile } from '../src/index.ts';
import { migrate } from '../src/migrate.ts';
import { administer, databaseUrl } from '../src/testing/test-database.ts';
import { answersOf } from './golden/answers.ts';
import { findPrograms, startOwnServer } from './support/own-server.ts';
import { claim, drain, finish, record } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query, sweepStatus, trained, wrongCounts } from './support/tables.ts';

const programs = findPrograms();
if (!programs)
  process.stderr.write('NOT RUN on this machine: pg_dump and pg_restore. apt-get install postgresql\n');

const written = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
/** The command in the document that begins with this text. */
const commandOf = (program: string): string => {
  const [, command] = new RegExp(`\`(${program} [^\`]+)\``).exec(written) ?? [];
  if (!command) throw new Error(`Expected a command of ${program} in docs/operations.md, but there is none`);
  return command;
};

test.runIf(programs)(
  'a dump from the middle of a sweep, restored on another server, gives the same answers, and the sweep continues',
  async () => {
    const server = await startOwnServer(programs!);
    onTestFinished(server.stop);
    const folder = mkdtempSync(`${tmpdir()}/funnel-backup-`);
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [first, second] = [databaseUrl(server.url, 'first'), databaseUrl(server.url, 'second')];
    for (const name of ['first', 'second']) await administer(server.url, `CREATE DATABASE ${name}`);
    const shell = (command: string, url: string) =>
      execFileSync('bash', ['-eo', 'pipefail', '-c', command], {
        cwd: folder,
        env: { PATH: `${programs}:/usr/bin:/bin`, DATABASE_URL: url },
      });

    await migrate(first);
    const db = createDb(first);
    onTestFinished(() => db.close());
    const done = await submit(db, { attacks: ['fgsm', 'transfer-linf'], space: { gamma: [1, 2] } });
    await drain(db);
    const live = await submit(db, { seeds: [5] });
    await finish(db, (await claim(db))!);
    await record(db, (await claim(db, 'worker that does not come along'))!, { epoch: 1, step: 0 });
    await query(db, 'CREATE SCHEMA funnel_queue; CREATE TABLE funnel_queue.jobs (id INT)');
    const before = await answersOf(db);

    shell(commandOf('pg_dump'), first);
    shell(commandOf('pg_restore'), second);
    expect(await migrate(second)).toEqual([]);
    const restored = createDb(second);
    onTestFinished(() => restored.close());
    expect(await answersOf(restored)).toEqual(before);

    await query(
      restored,
      `UPDATE stages SET lease_until = now() - interval '1 hour' WHERE status = 'running'`,
    );
    await query(restored, `DELETE FROM duties`);
    const options = { maxAttempts: 3, leaseSeconds: 15, everySeconds: 0 };
    await reconcile(restored, options); // after a pause, the first pass of the reconciler expires no lease
    await query(
      restored,
      `UPDATE stages SET lease_until = now() - interval '1 hour' WHERE status = 'running'`,
    );
    expect((await reconcile(restored, options)).expired).toHaveLength(1);
    await drain(restored);
    expect(await sweepStatus(restored, live.sweepId)).toBe('completed');
    expect(await trained(restored, live.sweepId)).toBe(live.plan.epochs.needed);
    expect(await wrongCounts(restored)).toEqual([]);

    // Into a database that is already in use, and without the tables of the queue.
    shell(`${commandOf('pg_dump')} --exclude-schema=funnel_queue`, second);
    shell(commandOf('pg_restore'), first);
    const again = createDb(first);
    onTestFinished(() => again.close());
    expect(await sweepStatus(again, live.sweepId)).toBe('completed');
    expect(await sweepStatus(again, done.sweepId)).toBe('completed');
  },
);
