import { AppError, within } from '@funnel/contracts';
import {
  actingAs,
  collectGarbage,
  getSweep,
  getWorker,
  listAudit,
  listWorkers,
  pingSchema,
  readWorkerLog,
  restoreWorker,
} from '@funnel/db';
import { describeSchema } from './describe-schema.ts';
import { type Context, type Handlers, localCaller } from './handler.ts';

/** Milliseconds after which one call stops collecting garbage: much less than the time limit of a request. */
const collectTimeoutMs = 20_000;

export const retentionHandlers = ({ db }: Context): Pick<Handlers, 'planCollection' | 'collectGarbage'> => ({
  planCollection: ({ body }) => collectGarbage(db, body, { dryRun: true }),
  collectGarbage: ({ body, author }) =>
    collectGarbage(actingAs(db, author), body, { dryRun: false, timeoutMs: collectTimeoutMs }),
});

type ServiceHandlers = Pick<
  Handlers,
  | 'listWorkers'
  | 'getWorkerLog'
  | 'restoreWorker'
  | 'listAudit'
  | 'getSchema'
  | 'events'
  | 'getServiceMetrics'
  | 'getOpenApi'
  | 'health'
  | 'ready'
>;

/** Milliseconds within which a part must answer. */
const pingTimeoutMs = 3000;

/** Throws UNAVAILABLE if `ping` fails or takes too long. */
const checkPart = async (part: string, ping: Promise<unknown>): Promise<void> => {
  try {
    if (!(await within(pingTimeoutMs, ping))) throw new Error(`no answer in ${pingTimeoutMs} ms`);
  } catch (error) {
    if (error instanceof AppError && error.code === 'SCHEMA_MISMATCH') throw error;
    throw new AppError(
      'UNAVAILABLE',
      `Expected the ${part} to answer, but it does not`,
      { part },
      { cause: error },
    );
  }
};

export const serviceHandlers = ({ db, queue, hub, metrics, document }: Context): ServiceHandlers => {
  const schema = describeSchema();
  return {
    listWorkers: async () => ({ items: await listWorkers(db) }),
    getWorkerLog: async ({ params }) => ({ items: await readWorkerLog(db, params.id) }),
    restoreWorker: async ({ params, author }) => {
      await restoreWorker(actingAs(db, author), params.id);
      return getWorker(db, params.id);
    },
    listAudit: ({ query }) => listAudit(db, query),
    getSchema: () => schema,
    events: async ({ query, headers, caller }, reply) => {
      const { sweep } = query;
      if (sweep !== undefined) await getSweep(db, sweep); // throws NOT_FOUND; else an unknown sweep would give a stream without events
      const stream = await hub.open({
        // Without tokens, all streams belong to the user of this machine: many tabs are no abuse.
        caller: caller === localCaller ? null : caller.name,
        sweep,
        lastEventId: headers['last-event-id'],
      });
      // The connection ends with the stream: no other request should wait behind it.
      reply.header('connection', 'close');
      reply.header('x-accel-buffering', 'no'); // else nginx holds events back until its buffer is full
      return stream;
    },
    getServiceMetrics: () => metrics.text(),
    getOpenApi: () => document,
    health: () => ({ status: 'ok' }),
    ready: async () => {
      await checkPart('database', pingSchema(db));
      await checkPart('queue', queue.ping());
      return { status: 'ok', database: 'ok', queue: 'ok' };
    },
  };
};
