/** A server for a benchmark: the API on a database, or a bare Fastify. It sends its address and ends when its parent process disconnects. */
import { startApi } from '@funnel/api';
import { engineVersion } from '@funnel/contracts';
import { fastify } from 'fastify';
import { pino } from 'pino';
import { serveParent } from './parent.ts';

export type ServerOptions = {
  /** Null: a Fastify with one route that answers a constant object. */
  readonly databaseUrl: string | null;
};

const startBare = async () => {
  const app = fastify();
  app.get('/', async () => ({ status: 'ok' }));
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }), close: () => app.close() };
};

const { databaseUrl } = JSON.parse(process.argv[2] ?? '{}') as ServerOptions; // see processes.ts
const logger = pino({ level: 'warn' }, pino.destination(2));
/** All clients of a benchmark have one address. */
const limits = { ownPlans: 1000, ownSubmissions: 1e6, ownSweeps: 1e6, ownBytes: 1e15 };
const server =
  databaseUrl === null
    ? await startBare()
    : await startApi({ databaseUrl, port: 0, engineVersion, logger, limits });
serveParent(server.url, server.close);
