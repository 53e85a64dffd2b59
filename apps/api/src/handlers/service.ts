import { AppError } from '@funnel/contracts';
import { collectGarbage, getSweep, listAudit, listWorkers, pingSchema } from '@funnel/db';
import { describeSchema } from './describe-schema.ts';
import { type Context, type Handlers, localCaller } from './handler.ts';

/** Milliseconds that one call may collect: well below what a request may take. */
const collectPatience = 20_000;

export const retentionHandlers = ({ db }: Context): Pick<Handlers, 'planCollection' | 'collectGarbage'> => ({
  planCollection: ({ body }) => collectGarbage(db, body, { dryRun: true }),
  collectGarbage: async ({ body }, reply) => {
    const collected = await collectGarbage(db, body, { dryRun: false, patience: collectPatience });
    const { sweeps, ...counts } = collected;
    reply.note({ policy: body, ...counts });
    return collected;
  },
});

type ServiceHandlers = Pick<
  Handlers,
  | 'listWorkers'
  | 'listAudit'
  | 'getSchema'
  | 'events'
  | 'getServiceMetrics'
  | 'getOpenApi'
  | 'health'
  | 'ready'
>;

/** Milliseconds that a part has to answer before it counts as away. */
const patience = 3000;

const answers = async (part: string, ping: Promise<unknown>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${patience} ms`)), patience);
  });
  try {
    await Promise.race([ping, late]);
  } catch (error) {
    if (error instanceof AppError && error.code === 'SCHEMA_MISMATCH') throw error;
    throw new AppError(
      'UNAVAILABLE',
      `Expected the ${part} to answer, but it does not`,
      { part },
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
};

export const serviceHandlers = ({ db, queue, hub, metrics, document }: Context): ServiceHandlers => {
  const schema = describeSchema();
  return {
    listWorkers: async () => ({ items: await listWorkers(db) }),
    listAudit: ({ query }) => listAudit(db, query),
    getSchema: () => schema,
    events: async ({ query, headers, caller }, reply) => {
      const { sweep } = query;
      if (sweep !== undefined) await getSweep(db, sweep); // NOT_FOUND, rather than a silence that nobody understands
      const stream = await hub.open({
        // Without tokens all are one, on their own machine: many tabs are no abuse.
        caller: caller === localCaller ? null : caller.name,
        sweep,
        lastEventId: headers['last-event-id'],
      });
      // Its end is the connection's: nothing else waits behind a stream.
      reply.header('connection', 'close');
      reply.header('x-accel-buffering', 'no'); // nginx would keep events until a buffer is full
      return stream;
    },
    getServiceMetrics: () => metrics.text(),
    getOpenApi: () => document,
    health: () => ({ status: 'ok' }),
    ready: async () => {
      await answers('database', pingSchema(db));
      await answers('queue', queue.ping());
      return { status: 'ok', database: 'ok', queue: 'ok' };
    },
  };
};
