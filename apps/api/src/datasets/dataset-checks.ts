/** Checks data sets whose chunks have all arrived, one at a time. A check that ends with its process begins anew when somebody asks again. */
import { checkDataset, type Db } from '@funnel/db';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';

export type DatasetChecks = {
  /** Begins the check of a data set, unless it waits or runs already. Resolves when it has ended, with any result. */
  readonly check: (digest: string) => Promise<void>;
};

declare module 'fastify' {
  interface FastifyInstance {
    readonly datasetChecks: DatasetChecks;
  }
}

const datasetChecks = async (app: FastifyInstance, { db }: { readonly db: Db }): Promise<void> => {
  const closed = new AbortController();
  const pending = new Map<string, Promise<void>>();
  let last: Promise<void> = Promise.resolve();
  const begin = (digest: string): Promise<void> => {
    const check = last
      .then(() => checkDataset(db, digest, closed.signal))
      .catch((error: unknown) => app.log.warn({ err: error, digest }, 'could not check a data set'))
      .finally(() => pending.delete(digest));
    pending.set(digest, check);
    last = check;
    return check;
  };
  app.decorate('datasetChecks', {
    check: (digest) => pending.get(digest) ?? begin(digest),
  } satisfies DatasetChecks);
  app.addHook('onClose', async () => {
    closed.abort();
    await last;
  });
};

/** Adds `app.datasetChecks`. */
export const datasetChecksPlugin = fp(datasetChecks, { name: 'dataset-checks' });
