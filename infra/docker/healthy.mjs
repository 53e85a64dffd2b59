/**
 * What the health checks run. `api`: it answers. `worker`: a worker of this host has said so within the last minute. A worker that
 * cannot reach the database is not ill, and a new one would not reach it either: then this says yes.
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
    console.log(`the database cannot be asked: ${error.message}`);
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
const said = await check().catch((error) => error.message);
if (said !== true) console.error(said);
process.exit(said === true ? 0 : 1);
