/**
 * The health checks of containers. `api`: the API answers. `worker`: a worker of this host sent a heartbeat within the last minute. When the
 * database cannot be reached, the worker counts as healthy, because a new one could not reach it either.
 */
import { createRequire } from 'node:module';
import { hostname } from 'node:os';

const api = async () => {
  const response = await fetch(`http://127.0.0.1:${process.env.FUNNEL_PORT ?? 7070}/healthz`);
  return response.ok || `the API answered ${response.status}`;
};

const worker = async () => {
  const pg = createRequire(new URL('../../packages/db/package.json', import.meta.url))('pg');
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  let seconds;
  try {
    await client.connect();
    const { rows } = await client.query(
      `SELECT extract(epoch FROM now() - max(heartbeat_at))::float8 AS seconds FROM workers WHERE host = $1 AND status <> 'gone'`,
      [hostname()],
    );
    seconds = rows[0].seconds;
  } catch (error) {
    console.log(`the database does not answer: ${error.message}`);
    return true;
  } finally {
    await client.end().catch(() => {});
  }
  if (seconds === null) return 'no worker of this host is online';
  return seconds < 60 || `the last heartbeat is ${Math.round(seconds)} s old`;
};

const checks = { api, worker };
const check = checks[process.argv[2]];
if (!check) {
  console.error(`Expected api or worker, but got ${process.argv[2]}`);
  process.exit(2);
}
const result = await check().catch((error) => error.message);
if (result !== true) console.error(result);
process.exit(result === true ? 0 : 1);
