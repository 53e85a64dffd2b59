/** For whom a migration waits: said, so that nobody has to find it out while a service does not start. */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

/** The advisory lock of migrations; `prisma migrate` takes it too, for its session. */
export const prismaLock = 72707369;

type Blocker = {
  readonly pid: number;
  readonly application: string;
  /** Null when the server does not show it to this user. */
  readonly state: string | null;
  readonly since: Date | null;
  readonly migrates: boolean;
};

/** Who holds what process $1 waits for, or waits for it in front. The parts of an advisory lock's number are in two columns. */
const blockers = `
  SELECT a.pid, a.application_name AS application, a.state, coalesce(a.xact_start, a.state_change) AS since,
    EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory' AND (l.classid, l.objid, l.objsubid) = (0, ${prismaLock}, 1)) AS migrates
  FROM pg_stat_activity a WHERE a.pid = ANY(pg_blocking_pids($1)) ORDER BY migrates DESC, a.pid`;

const describe = ({ pid, application, state, since, migrates }: Blocker): string => {
  const whom = migrates ? 'another migration' : 'a connection that uses the tables';
  const about = `pid ${pid}, since ${since?.toISOString() ?? 'a time that is not shown'}, application ${application || 'without a name'}`;
  // Funnel 0.1 took a lock of the session, which a pooler keeps.
  const left =
    migrates && state === 'idle'
      ? `; it does nothing: if that stays so, a pooler keeps the lock of a migration that has ended, and SELECT pg_terminate_backend(${pid}) frees it`
      : '';
  return `waits for ${whom} (${about})${left}`;
};

const lookMilliseconds = 1000;
/** What is still waited for is said again after so many looks. */
const looksToRepeat = 60;

/**
 * Tells `onWait` for whom the server's process `pid` waits, when it waits longer than a second, until stopped. `connect` lends a second
 * connection, which is made only then. Whatever goes wrong with that stops nothing.
 */
export const sayWaits = (
  pid: number,
  onWait: (words: string) => void,
  connect: (look: (client: pg.Client) => Promise<void>) => Promise<void>,
): (() => Promise<void>) => {
  const ended = new AbortController();
  const pause = () => sleep(lookMilliseconds, undefined, { signal: ended.signal });
  const watch = async (client: pg.Client): Promise<void> => {
    let said = '';
    for (let looks = 0; ; looks++) {
      const { rows } = await client.query<Blocker>(blockers, [pid]);
      const pids = rows.map((row) => row.pid).join();
      if (pids !== '' && (pids !== said || looks % looksToRepeat === 0))
        onWait(`The migration ${rows.map(describe).join('; ')}`);
      said = pids;
      await pause();
    }
  };
  const watching = pause()
    .then(() => connect(watch))
    .catch(() => {});
  return async (): Promise<void> => {
    ended.abort();
    await watching;
  };
};
