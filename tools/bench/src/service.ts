/** Requests over connections that stay open, with as little of a client's own work as possible. */

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SweepInput } from '@funnel/contracts';
import { createDb, migrate, startEmbedded } from '@funnel/db';
import { type Filling, fillTables } from '@funnel/db/testing';

export type HttpClient = {
  /** The body. Throws when the status is not the one that is expected. */
  readonly call: (
    method: string,
    path: string,
    options?: { readonly body?: unknown; readonly status?: number },
  ) => Promise<string>;
  readonly close: () => void;
};

const slowest = 120_000;

export const createHttpClient = (url: string, clients: number): HttpClient => {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  return {
    call: (method, path, { body, status = 200 } = {}) =>
      new Promise((resolve, reject) => {
        const payload = body === undefined ? undefined : JSON.stringify(body);
        const headers = payload === undefined ? {} : { 'content-type': 'application/json' };
        const sent = request(new URL(path, url), { method, agent, headers, timeout: slowest }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            if (response.statusCode === status) resolve(text);
            else
              reject(
                new Error(`Expected ${status} of ${method} ${path}, but got ${response.statusCode}: ${text}`),
              );
          });
        });
        sent.on('timeout', () =>
          sent.destroy(new Error(`Expected an answer of ${path} within ${slowest / 1000} s`)),
        );
        sent.on('error', reject);
        sent.end(payload);
      }),
    close: () => agent.destroy(),
  };
};

/** A private PostgreSQL with the product's settings, and databases in it that are filled for one measurement each. */

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

const perSeed = 50;

/** `trials` FUNN trials (a multiple of 50): γ × β, and as many seeds as it takes; `round` makes it another one. */
export const largeSweep = (trials: number, round: number): SweepInput => ({
  name: `load ${round}`,
  dataset: { name: 'mnist' },
  space: {
    gamma: Array.from({ length: 10 }, (_, i) => i + 1),
    beta: Array.from({ length: 5 }, (_, i) => (i + 1) / 100),
    latent: 64 + round,
  },
  seeds: Math.max(1, Math.round(trials / perSeed)),
  attacks: ['fgsm'],
});

export type Submissions = { readonly trials: number; readonly seconds: readonly number[] };

/** One after the other, each of trials that nobody has seen. */
export const timeSubmissions = async (
  http: HttpClient,
  trials: number,
  rounds: number,
): Promise<Submissions> => {
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    await http.call('POST', '/v1/sweeps', { body: largeSweep(trials, round), status: 201 });
    seconds.push(Math.round(performance.now() - begun) / 1000);
  }
  return { trials, seconds };
};
