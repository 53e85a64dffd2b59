/** What PostgreSQL does while others work it: its connections, what its sessions wait for, and its share of the processor. */
import { readdir, readFile } from 'node:fs/promises';
import type { Db } from '@funnel/db';

export type Watched = {
  readonly connections: number;
  /** Sessions at once on the mean, by what they wait for (and in which statement); `running` waits for nothing but a core. */
  readonly sessions: Readonly<Record<string, number>>;
  /** Cores kept busy by the server; null where there is no /proc. */
  readonly cores: number | null;
};

const ticksPerSecond = 100;
const lookMilliseconds = 250;

/** pid, parent, and ticks of its own and of its children that have ended. */
const readStat = async (pid: string) => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return {
    parent: fields[1] ?? 0,
    own: (fields[11] ?? 0) + (fields[12] ?? 0),
    ended: (fields[13] ?? 0) + (fields[14] ?? 0),
  };
};

/** Processor seconds of a server since it started, by the process id of one of its sessions. */
const serverSeconds = async (backend: number): Promise<number | null> => {
  const { parent } = await readStat(String(backend));
  if (parent === 0) return null;
  const server = await readStat(String(parent));
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(pids.map(readStat));
  const children = all.filter((process) => process.parent === parent);
  return (server.own + server.ended + children.reduce((sum, { own }) => sum + own, 0)) / ticksPerSecond;
};

const activity = `
  SELECT coalesce(wait_event_type || ' ' || wait_event, 'running')
    || CASE WHEN wait_event_type = 'Lock' THEN ' of ' || left(regexp_replace(query, '\\s+', ' ', 'g'), 48) ELSE '' END AS waits, count(*) AS sessions, false AS total
  FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid() GROUP BY 1
  UNION ALL
  SELECT '', count(*), true FROM pg_stat_activity WHERE datname = current_database()`;

const round = (value: number): number => Math.round(value * 100) / 100;

/** Looks until `stop`. */
export const watchDatabase = async (db: Db): Promise<{ readonly stop: () => Promise<Watched> }> => {
  const { rows } = await db.pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const backend = rows[0]!.pid;
  const before = await serverSeconds(backend);
  const begun = performance.now();
  const sums = new Map<string, number>();
  let connections = 0;
  let looks = 0;
  const look = async (): Promise<void> => {
    type Row = { waits: string; sessions: number; total: boolean };
    const answer = await db.pool.query<Row>(activity);
    looks++;
    for (const { waits, sessions, total } of answer.rows)
      if (total) connections = Math.max(connections, sessions);
      else sums.set(waits, (sums.get(waits) ?? 0) + sessions);
  };
  const timer = setInterval(() => void look().catch(() => {}), lookMilliseconds);
  return {
    stop: async () => {
      clearInterval(timer);
      const seconds = (performance.now() - begun) / 1000;
      const after = await serverSeconds(backend);
      const sessions = [...sums].map(([waits, sum]) => [waits, round(sum / Math.max(1, looks))] as const);
      return {
        connections,
        sessions: Object.fromEntries(sessions.sort((a, b) => b[1] - a[1]).slice(0, 6)),
        cores: before === null || after === null ? null : round((after - before) / seconds),
      };
    },
  };
};
