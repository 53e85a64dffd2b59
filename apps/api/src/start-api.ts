/** Starts the API with its own connections to database and queue, and closes them in the opposite order. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { within } from '@funnel/contracts';
import { createDb, queueAddress, refusePooler, retryUntilAdmitted } from '@funnel/db';
import { createStageQueue } from '@funnel/queue';
import { createTracer } from '@funnel/tracing';
import type { Logger } from 'pino';
import { type EnvironmentTokens, ensureEnvironmentTokens } from './access/tokens.ts';
import { type ApiOptions, buildApp } from './app.ts';
import { version } from './openapi.ts';
import { createWarning } from './warning.ts';

export { readEnv, startOptions } from './env.ts';

export type StartOptions = Omit<ApiOptions, 'db' | 'queue' | 'logger' | 'tracer'> & {
  readonly databaseUrl: string;
  /** The address of PostgreSQL itself, if `databaseUrl` is of a pooler: for the event streams and the queue. (Default: `databaseUrl`) */
  readonly directUrl?: string | undefined;
  /** postgres:// or redis://. (Default: `directUrl`) */
  readonly queueUrl?: string;
  /** 0 means any free port. */
  readonly port: number;
  /** Tokens that are saved before the API listens. (Default: none) */
  readonly tokens?: EnvironmentTokens;
  /** The address of an OpenTelemetry collector that accepts OTLP over HTTP, such as http://localhost:4318. (Default: no traces) */
  readonly tracesUrl?: string;
  /** Ends the wait for the database at the start. */
  readonly signal?: AbortSignal;
  readonly logger: Logger;
};

export type StartedApi = {
  /** The address where it listens, such as `http://127.0.0.1:7070`. */
  readonly url: string;
  /**
   * Answers the running requests, ends the streams and closes the connections. Takes at most 30 s, even if database and queue do not answer.
   * The log names the parts that did not close in time.
   */
  readonly close: () => Promise<void>;
  /** The parts that did not close in time, or failed to close. */
  readonly notClosed: () => readonly string[];
};

/** Milliseconds that the app with its running requests may take to close, and each part after it. */
const requestTimeoutMs = 20_000;
const partTimeoutMs = 3_000;

/** Closes parts, and notes those that take too long or fail. */
const createCloser = (logger: Logger) => {
  const notClosed: string[] = [];
  return {
    notClosed,
    close: async (what: string, close: () => Promise<unknown>, timeout: number): Promise<void> => {
      try {
        if (await within(timeout, close())) return;
        logger.error({ what, milliseconds: timeout }, 'part did not close in time');
      } catch (error) {
        logger.error({ what, err: error }, 'part failed to close');
      }
      notClosed.push(what);
    },
  };
};

const builtDashboard = fileURLToPath(new URL('../../web/dist', import.meta.url));

/** Throws if the port is taken or `buildApp` throws. Waits while the database accepts no connections. */
export const startApi = async (options: StartOptions): Promise<StartedApi> => {
  const { databaseUrl, port, host = '127.0.0.1', logger } = options;
  const onError = createWarning(logger, 'a connection broke');
  const db = createDb(databaseUrl, { direct: options.directUrl, max: 20, name: 'funnel api', onError });
  const queueAt = queueAddress(options.queueUrl, db.direct);
  const queue = await createStageQueue({ ...queueAt, onError });
  const webFolder = options.webFolder ?? (existsSync(builtDashboard) ? builtDashboard : null);
  const tracer = createTracer({
    endpoint: options.tracesUrl,
    resource: { 'service.name': 'funnel-api', 'service.version': version },
    onError: createWarning(logger, 'could not send traces'),
  });
  const closer = createCloser(logger);
  const close = async (): Promise<void> => {
    await closer.close('traces', tracer.close, partTimeoutMs);
    await closer.close('queue', queue.close, partTimeoutMs);
    await closer.close('database', db.close, partTimeoutMs);
  };
  const onWait = (error: unknown): void =>
    logger.warn({ err: error }, 'the database accepts no connections now: waiting until it does');
  try {
    const build = async () => {
      await refusePooler(db.direct);
      await queueAt.checkPooler?.();
      await ensureEnvironmentTokens(db, options.tokens ?? {});
      return buildApp({ ...options, db, queue, tracer, webFolder });
    };
    const app = await retryUntilAdmitted(build, onWait, options.signal);
    const url = await app.listen({ host, port });
    return {
      url,
      close: async () => {
        await closer.close('requests', () => app.close(), requestTimeoutMs);
        await close();
      },
      notClosed: () => closer.notClosed,
    };
  } catch (error) {
    await close();
    throw error;
  }
};
