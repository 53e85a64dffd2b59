import { readEnv, type StartedApi, startApi, startOptions } from '@funnel/api';
import { engineVersion } from '@funnel/engine/engine-version';
import type { Logger } from 'pino';

const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';

/** An address that a browser can open: a wildcard is reached through loopback. */
const openable = (address: string): string =>
  address.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//127.0.0.1:');

/**
 * The API as `variables` say, on the wanted port or, where that is taken, on a free one. Throws a ZodError that names a variable that is
 * wrong, and what `startApi` throws.
 */
export const startApiSomewhere = async (
  variables: NodeJS.ProcessEnv,
  logger: Logger,
  signal: AbortSignal,
): Promise<StartedApi> => {
  const options = { ...startOptions(readEnv(variables)), engineVersion, logger, signal };
  const api = await startApi(options).catch((error: unknown) => {
    if (!isTaken(error)) throw error;
    logger.info({ port: options.port }, 'port was taken');
    return startApi({ ...options, port: 0 });
  });
  return { ...api, url: openable(api.url) };
};
