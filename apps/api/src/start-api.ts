/** The API with its own connections: opened, listening, and closed in the opposite order. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createDb, queueAddress, whenAdmitted } from '@funnel/db';
import { createStageQueue } from '@funnel/queue';
import { createTracer } from '@funnel/tracing';
import type { Logger } from 'pino';
import { type EnvironmentTokens, keepEnvironmentTokens } from './access/tokens.ts';
import { type ApiOptions, buildApp } from './app.ts';
import { version } from './openapi.ts';

export { readEnv, startOptions } from './env.ts';

export type StartOptions = Omit<ApiOptions, 'db' | 'queue' | 'logger' | 'tracer'> & {
  readonly databaseUrl: string;
  /** postgres:// or redis://. (Default: the database's) */
  readonly queueUrl?: string;
  /** 0: any free port. */
  readonly port: number;
  /** Made known before it listens. (Default: none) */
  readonly tokens?: EnvironmentTokens;
  /** A collector of traces that speaks OTLP over HTTP, such as http://localhost:4318. (Default: no traces) */
  readonly tracesUrl?: string;
  /** Aborted: an API that waits for its database waits no longer. */
  readonly signal?: AbortSignal;
  readonly logger: Logger;
};

export type StartedApi = {
  /** Where it listens, such as `http://127.0.0.1:7070`. */
  readonly url: string;
  /**
   * Answers what is under way, ends the streams, closes the connections: within 30 s, whatever database and queue do. The log names what
   * did not close in time.
   */
  readonly close: () => Promise<void>;
  /** Parts that `close` gave up waiting for. */
  readonly notClosed: () => readonly string[];
};

/** Milliseconds for the requests under way, and for each part after them. */
const requestTime = 20_000;
const partTime = 3_000;

const builtDashboard = fileURLToPath(new URL('../../web/dist', import.meta.url));

export const startApi = async (options: StartOptions): Promise<StartedApi> => {
  const { databaseUrl, port, host = '127.0.0.1', logger } = options;
  const onError = (error: Error) => logger.warn({ err: error }, 'lost an idle connection');
  const db = createDb(databaseUrl, { max: 20, name: 'funnel api', onError });
  const queue = await createStageQueue({ ...queueAddress(options.queueUrl, db.url), onError });
  const webFolder = options.webFolder ?? (existsSync(builtDashboard) ? builtDashboard : null);
  const tracer = createTracer({
    endpoint: options.tracesUrl,
    resource: { 'service.name': 'funnel-api', 'service.version': version },
    onError: (error) => logger.warn({ err: error }, 'traces are not taken'),
  });
  const notClosed: string[] = [];
  const closeOne = async (what: string, close: () => Promise<unknown>, time: number): Promise<void> => {
    const inTime = new AbortController();
    const late = sleep(time, true, { signal: inTime.signal }).catch(() => false);
    try {
      if (!(await Promise.race([close().then(() => false), late]))) return;
      logger.error({ what, milliseconds: time }, 'part did not close in time');
    } catch (error) {
      logger.error({ what, err: error }, 'part did not close well');
    } finally {
      inTime.abort();
    }
    notClosed.push(what);
  };
  const close = async (): Promise<void> => {
    await closeOne('traces', tracer.close, partTime);
    await closeOne('queue', queue.close, partTime);
    await closeOne('database', db.close, partTime);
  };
  const onWait = (error: unknown): void =>
    logger.warn({ err: error }, 'the database takes no connection now: waiting until it does');
  try {
    const build = async () => {
      await keepEnvironmentTokens(db, options.tokens ?? {});
      return buildApp({ ...options, db, queue, tracer, webFolder });
    };
    const app = await whenAdmitted(build, onWait, options.signal);
    const url = await app.listen({ host, port });
    return {
      url,
      close: async () => {
        await closeOne('requests', () => app.close(), requestTime);
        await close();
      },
      notClosed: () => notClosed,
    };
  } catch (error) {
    await close();
    throw error;
  }
};
