import { fileURLToPath } from 'node:url';
import { buildApp } from '@funnel/api';
import { createDb } from '@funnel/db';
import { engineVersion } from '@funnel/engine';
import { createStageQueue } from '@funnel/queue';
import type { Logger } from 'pino';
import type { Env } from '../env.ts';

export type RunningApi = { readonly url: string; readonly stop: () => Promise<void> };

type ApiStart = {
  readonly env: Env;
  readonly databaseUrl: string;
  readonly queueUrl: string;
  readonly log: Logger;
};

const webFolder = fileURLToPath(new URL('../../../web/dist', import.meta.url));

const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';

/** An address that a browser can open: a wildcard is reached through loopback. */
const openable = (address: string): string =>
  address.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//127.0.0.1:');

/** The API on the wanted port, or on a free one where that is taken. Throws what `buildApp` throws, and leaves nothing behind then. */
export const startApi = async ({ env, databaseUrl, queueUrl, log }: ApiStart): Promise<RunningApi> => {
  const db = createDb(databaseUrl, {
    name: 'funnel api',
    onError: (error) => log.warn({ err: error }, 'database connection broke'),
  });
  const queue = await createStageQueue({ url: queueUrl });
  const closeParts = async (): Promise<void> => {
    await queue.close();
    await db.close();
  };
  const host = env.FUNNEL_HOST;
  const maxAttempts = env.FUNNEL_MAX_ATTEMPTS;
  try {
    const app = await buildApp({ db, queue, engineVersion, host, maxAttempts, webFolder, logger: log });
    const listen = (port: number): Promise<string> => app.listen({ host, port });
    const address = await listen(env.FUNNEL_PORT).catch((error: unknown) => {
      if (!isTaken(error)) throw error;
      log.warn({ port: env.FUNNEL_PORT }, 'port was taken');
      return listen(0);
    });
    const stop = async (): Promise<void> => {
      await app.close();
      await closeParts();
    };
    return { url: openable(address), stop };
  } catch (error) {
    await closeParts();
    throw error;
  }
};
