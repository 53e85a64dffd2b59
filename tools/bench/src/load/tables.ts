/** A private PostgreSQL with the product's settings, and databases in it that are filled for one measurement each. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createDb, migrate, startEmbedded } from '@funnel/db';
import { type Filling, fillTables } from '@funnel/db/testing';

export type Tables = {
  /** Migrated; filled where there is something to fill it with. */
  readonly create: (name: string, filling?: Filling) => Promise<string>;
  readonly drop: (name: string) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** `settings`: of the server, on top of the product's. */
export const openTables = async (settings: Readonly<Record<string, string>> = {}): Promise<Tables> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'funnel-load-'));
  await chmod(folder, 0o755); // the server's user passes through
  // Filling writes gigabytes: no checkpoint in the middle of it.
  const filling = { max_wal_size: '8GB', checkpoint_timeout: '30min' };
  const server = await startEmbedded({
    dir: path.join(folder, 'pgdata'),
    settings: { ...filling, ...settings },
  });
  const administer = async (sql: string): Promise<void> => {
    const db = createDb(server.url, { max: 1 });
    await db.pool.query(sql).finally(() => db.close());
  };
  return {
    create: async (name, filling) => {
      await administer(`CREATE DATABASE ${name}`);
      const url = new URL(server.url);
      url.pathname = `/${name}`;
      await migrate(url.href);
      if (filling) await fillTables(url.href, filling);
      return url.href;
    },
    drop: (name) => administer(`DROP DATABASE ${name} WITH (FORCE)`),
    close: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
