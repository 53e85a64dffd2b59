/** The API with its own connections: opened, listening, and closed in the opposite order. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createDb, queueAddress } from '@funnel/db';
import { createStageQueue } from '@funnel/queue';
import { createTracer } from '@funnel/tracing';
import type { Logger } from 'pino';
import { type EnvironmentTokens, keepEnvironmentTokens } from './access/environment-tokens.ts';
import { buildApp } from './app.ts';
import type { ApiOptions } from './options.ts';
import { version } from './version.ts';

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
  readonly logger: Logger;
};

export type StartedApi = {
  /** Where it listens, such as `http://127.0.0.1:7070`. */
  readonly url: string;
  /** Answers what is under way, ends the streams, closes the connections. */
  readonly close: () => Promise<void>;
};

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
  const close = async (): Promise<void> => {
    await tracer.close();
    await queue.close();
    await db.close();
  };
  try {
    await keepEnvironmentTokens(db, options.tokens ?? {});
    const app = await buildApp({ ...options, db, queue, tracer, webFolder });
    const url = await app.listen({ host, port });
    return {
      url,
      close: async () => {
        await app.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
};
