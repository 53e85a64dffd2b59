import { type StartedApi, startApi } from '@funnel/api';
import { engineVersion } from '@funnel/engine/engine-version';
import type { Logger } from 'pino';
import type { Env } from '../env.ts';

type ApiStart = {
  readonly env: Env;
  readonly databaseUrl: string;
  readonly queueUrl: string;
  readonly log: Logger;
};

const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';

/** An address that a browser can open: a wildcard is reached through loopback. */
const openable = (address: string): string =>
  address.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//127.0.0.1:');

/** The API on the wanted port, or on a free one where that is taken. Throws what `startApi` throws. */
export const startApiSomewhere = async ({
  env,
  databaseUrl,
  queueUrl,
  log,
}: ApiStart): Promise<StartedApi> => {
  const { FUNNEL_HOST: host, FUNNEL_MAX_ATTEMPTS: maxAttempts } = env;
  const tracesUrl = env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const listen = (port: number): Promise<StartedApi> =>
    startApi({ databaseUrl, queueUrl, engineVersion, host, port, maxAttempts, tracesUrl, logger: log });
  const api = await listen(env.FUNNEL_PORT).catch((error: unknown) => {
    if (!isTaken(error)) throw error;
    log.info({ port: env.FUNNEL_PORT }, 'port was taken');
    return listen(0);
  });
  return { ...api, url: openable(api.url) };
};
