/** An app on a database of its own, with a fake queue that records notifications. */
import type { Role } from '@funnel/contracts';
import { type Db, saveToken } from '@funnel/db';
import { openTestDb } from '@funnel/db/testing';
import type { StageQueue } from '@funnel/queue';
import type { FastifyInstance } from 'fastify';
import { hashToken } from '../src/access/tokens.ts';
import { type ApiOptions, buildApp } from '../src/app.ts';

/** A queue that records notifications. The API never listens to the queue. */
export const createFakeQueue = (): StageQueue & { readonly notifications: string[] } => {
  const notifications: string[] = [];
  return {
    notifications,
    notify: async (stageIds) => void notifications.push(...stageIds),
    listen: async () => ({ close: async () => {} }),
    counts: async () => ({ waiting: notifications.length, active: 0 }),
    ping: async () => {},
    findings: async () => [],
    clear: async () => void notifications.splice(0),
    close: async () => {},
  };
};

export type TestApp = {
  readonly app: FastifyInstance;
  readonly db: Db;
  readonly queue: ReturnType<typeof createFakeQueue>;
  readonly close: () => Promise<void>;
};

/** `prepare` runs on the empty database, before the app is built. */
export const build = async (
  options: Partial<ApiOptions> & { readonly prepare?: (db: Db) => Promise<void> } = {},
): Promise<TestApp> => {
  const { prepare, ...rest } = options;
  const db = await openTestDb();
  const queue = createFakeQueue();
  try {
    await prepare?.(db);
    const app = await buildApp({ db, queue, engineVersion: 'test', ...rest });
    return {
      app,
      db,
      queue,
      close: async () => {
        await app.close();
        await db.close();
      },
    };
  } catch (error) {
    await db.close();
    throw error;
  }
};

export const tokenOf = (role: Role): string => `token-of-${role}`;

export const addToken = (db: Db, role: Role): Promise<void> =>
  saveToken(db, { name: `a ${role}`, role, hash: hashToken(tokenOf(role)) });

/** The smallest sweep: one trial. */
export const oneTrial = {
  name: 'one trial',
  dataset: { name: 'glyphs', train: 128, test: 64, attack: 16 },
  space: { initialiseEpochs: 1, optimiseEpochs: 1, classifierEpochs: 1 },
  attacks: ['fgsm'],
} as const;

const tables = [
  'sweeps',
  'trials',
  'stages',
  'sweep_stages',
  'trial_stages',
  'sweep_counts',
  'events',
  'idempotency_keys',
  'audit_log',
  'tokens',
];

/** Changes when a row of any table changes. The time of a token's last use does not count. */
export const fingerprint = async (db: Db): Promise<string> => {
  const counts = tables.map(
    (table) =>
      `SELECT '${table}' AS name, count(*) || '/' || coalesce(sum(hashtextextended((to_jsonb(t) - 'last_used_at')::text, 0)), 0) AS sum FROM ${table} t`,
  );
  const { rows } = await db.pool.query<{ name: string; sum: string }>(counts.join(' UNION ALL '));
  return rows.map(({ name, sum }) => `${name} ${sum}`).join('\n');
};
