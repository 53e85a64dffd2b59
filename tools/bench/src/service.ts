/** Shared by `bench load` and `bench fleet`: a private PostgreSQL with filled tables, a thin HTTP client, and a large sweep. */

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SweepInput } from '@funnel/contracts';
import { createDb, migrate, startEmbedded } from '@funnel/db';
import { type Filling, fillTables } from '@funnel/db/testing';

export type HttpClient = {
  /** Resolves to the body. Throws where the status is none of the expected ones. (Default: 200) */
  readonly call: (
    method: string,
    path: string,
    options?: { readonly body?: unknown; readonly statuses?: readonly number[] },
  ) => Promise<string>;
  readonly close: () => void;
};

const requestTimeoutMs = 120_000;

/** Keeps its connections open and does as little work of its own as possible. */
export const createHttpClient = (url: string, clients: number): HttpClient => {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  return {
    call: (method, path, { body, statuses = [200] } = {}) =>
      new Promise((resolve, reject) => {
        const payload = body === undefined ? undefined : JSON.stringify(body);
        const headers = payload === undefined ? {} : { 'content-type': 'application/json' };
        const sent = request(
          new URL(path, url),
          { method, agent, headers, timeout: requestTimeoutMs },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('error', reject);
            response.on('end', () => {
              const text = Buffer.concat(chunks).toString();
              if (statuses.includes(response.statusCode!)) resolve(text);
              else
                reject(
                  new Error(
                    `Expected status ${statuses.join(' or ')} from ${method} ${path}, but got ${response.statusCode}: ${text}`,
                  ),
                );
            });
          },
        );
        sent.on('timeout', () =>
          sent.destroy(new Error(`Expected an answer to ${path} within ${requestTimeoutMs / 1000} s`)),
        );
        sent.on('error', reject);
        sent.end(payload);
      }),
    close: () => agent.destroy(),
  };
};

export type Tables = {
  /** Creates a database with the tables of Funnel, and fills them where `filling` is given. */
  readonly create: (name: string, filling?: Filling) => Promise<string>;
  readonly drop: (name: string) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Starts a private PostgreSQL with Funnel's settings and `settings` on top. */
export const openTables = async (settings: Readonly<Record<string, string>> = {}): Promise<Tables> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'funnel-load-'));
  await chmod(folder, 0o755); // PostgreSQL runs as another user
  // Filling writes gigabytes; a checkpoint in between would distort the measurement.
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

const trialsPerSeed = 50;

/** A sweep of `trials` FUNN trials (a multiple of 50): 10 γ × 5 β, and enough seeds. Sweeps of different rounds share no stage. */
export const largeSweep = (trials: number, round: number): SweepInput => ({
  name: `load ${round}`,
  dataset: { name: 'mnist' },
  space: {
    gamma: Array.from({ length: 10 }, (_, i) => i + 1),
    beta: Array.from({ length: 5 }, (_, i) => (i + 1) / 100),
    latent: 64 + round,
  },
  seeds: Math.max(1, Math.round(trials / trialsPerSeed)),
  attacks: ['fgsm'],
});

/** Milliseconds between two looks for the end of a submission. */
const pollMs = 50;

/** Submits a sweep and waits until it is written: a busy service answers 202 before that. Resolves to the sweep's id. */
export const submitSweep = async (http: HttpClient, body: SweepInput): Promise<string> => {
  type Answer = { id: string; sweepId?: string | null; problem?: { detail: string } | null }; // a sweep has no sweepId
  let text = await http.call('POST', '/v1/sweeps', { body, statuses: [201, 202] });
  for (;;) {
    const { id, sweepId = id, problem } = JSON.parse(text) as Answer;
    if (problem) throw new Error(`Expected the sweep to be written, but it was refused: ${problem.detail}`);
    if (sweepId !== null) return sweepId;
    await sleep(pollMs);
    text = await http.call('GET', `/v1/submissions/${id}`);
  }
};

export type Submissions = { readonly trials: number; readonly seconds: readonly number[] };

/** Times submissions, one after the other. No two of them share a trial. */
export const timeSubmissions = async (
  http: HttpClient,
  trials: number,
  rounds: number,
): Promise<Submissions> => {
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    await submitSweep(http, largeSweep(trials, round));
    seconds.push(Math.round(performance.now() - started) / 1000);
  }
  return { trials, seconds };
};
