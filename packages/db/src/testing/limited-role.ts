/** A role that PostgreSQL can turn away: a superuser, as whom tests connect otherwise, is admitted whatever the limits are. */
import pg from 'pg';

export type LimitedRole = {
  /** The database as this role, which may do there what its owner may. */
  readonly url: string;
  /** Ends the connections of this role beyond `count` (default: all), and admits no more than those. */
  readonly limit: (count?: number) => Promise<void>;
  readonly admit: () => Promise<void>;
  /** Process ids of the connections of this role. */
  readonly connections: () => Promise<readonly string[]>;
  readonly kill: (pid: string) => Promise<void>;
  /** After the database was dropped. */
  readonly drop: () => Promise<void>;
};

export const createLimitedRole = async (databaseUrl: string): Promise<LimitedRole> => {
  const url = new URL(databaseUrl);
  const owner = decodeURIComponent(url.username);
  const name = url.pathname.slice(1);
  const role = `limited_${name}`;
  const maintenance = new URL(databaseUrl);
  maintenance.pathname = '/postgres';
  const admin = new pg.Pool({ connectionString: maintenance.href, max: 1 });
  await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'limited' IN ROLE "${owner}"`);
  url.username = role;
  url.password = 'limited';
  const setLimit = (count: number) => admin.query(`ALTER ROLE ${role} CONNECTION LIMIT ${count}`);
  const connections = async (): Promise<string[]> => {
    const { rows } = await admin.query<{ pid: string }>(
      'SELECT pid::text FROM pg_stat_activity WHERE usename = $1 ORDER BY backend_start',
      [role],
    );
    return rows.map(({ pid }) => pid);
  };
  const kill = async (pid: string): Promise<void> =>
    void (await admin.query('SELECT pg_terminate_backend($1::int)', [pid]));
  return {
    url: url.href,
    limit: async (count = 0) => {
      await setLimit(count);
      for (const pid of (await connections()).slice(count)) await kill(pid);
    },
    admit: async () => void (await setLimit(-1)),
    connections,
    kill,
    drop: async () => {
      await admin.query(`DROP ROLE ${role}`);
      await admin.end();
    },
  };
};
