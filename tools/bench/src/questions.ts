/** What a dashboard asks: each question as a request and as the read behind it, about sweeps and trials drawn by lot. */
import { type LeaderboardQuery, routes } from '@funnel/contracts';
import {
  compareTrials,
  type Db,
  getMetrics,
  getSweep,
  getTrial,
  leaderboard,
  listStages,
  listSweeps,
  listTrials,
} from '@funnel/db';

export type Asked = { readonly path: string; readonly read: (db: Db) => Promise<unknown> };

/** Draws ids of the filled tables. */
export type Draw = {
  readonly below: (limit: number) => number;
  readonly sweep: () => string;
  readonly trial: () => string;
};

/** Ids as `fillTables` makes them. */
export const createDraw = (sweeps: number, trialsPerSweep: number): Draw => {
  const below = (limit: number): number => Math.floor(Math.random() * limit);
  const sweep = (): string => `f${(1 + below(sweeps)).toString(16).padStart(15, '0')}`;
  return { below, sweep, trial: () => `${sweep()}-${String(below(trialsPerSweep)).padStart(5, '0')}` };
};

const limit = 50;

type LeaderboardInput = Partial<Record<keyof LeaderboardQuery, string | string[]>>;

const board = (query: LeaderboardInput): Asked => {
  const words = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((word) => [name, word] as [string, string]),
  );
  const parsed = routes.leaderboard.query.parse({ ...query });
  return {
    path: `/v1/leaderboard?${new URLSearchParams(words)}`,
    read: (db) => leaderboard(db, parsed),
  };
};

export const questions: Readonly<Record<string, (draw: Draw) => Asked>> = {
  'sweeps, newest 50': () => ({ path: '/v1/sweeps', read: (db) => listSweeps(db, { limit }) }),
  sweep: ({ sweep }) => {
    const id = sweep();
    return { path: `/v1/sweeps/${id}`, read: (db) => getSweep(db, id) };
  },
  'trials, first 50': ({ sweep }) => {
    const sweepId = sweep();
    return { path: `/v1/sweeps/${sweepId}/trials`, read: (db) => listTrials(db, { sweepId, limit }) };
  },
  'trials, 50 anywhere': ({ trial }) => {
    const [sweepId = '', number = ''] = trial().split('-');
    const cursor = Buffer.from(JSON.stringify(Number(number))).toString('base64url');
    return {
      path: `/v1/sweeps/${sweepId}/trials?cursor=${cursor}`,
      read: (db) => listTrials(db, { sweepId, limit, cursor }),
    };
  },
  'trials that failed': ({ sweep }) => {
    const sweepId = sweep();
    return {
      path: `/v1/sweeps/${sweepId}/trials?status=failed`,
      read: (db) => listTrials(db, { sweepId, limit, status: 'failed' }),
    };
  },
  'stages, first 50': ({ sweep }) => {
    const sweepId = sweep();
    return { path: `/v1/sweeps/${sweepId}/stages`, read: (db) => listStages(db, { sweepId, limit }) };
  },
  trial: ({ trial }) => {
    const id = trial();
    return { path: `/v1/trials/${id}`, read: (db) => getTrial(db, id) };
  },
  'training curves': ({ trial }) => {
    const id = trial();
    return { path: `/v1/trials/${id}/metrics`, read: (db) => getMetrics(db, id) };
  },
  'four trials compared': ({ trial }) => {
    const ids = new Set<string>();
    while (ids.size < 4) ids.add(trial());
    return {
      path: `/v1/compare?trials=${[...ids].join(',')}`,
      read: (db) => compareTrials(db, [...ids]),
    };
  },
  leaderboard: () => board({}),
  'leaderboard of an attack': () => board({ attack: 'gradient', metric: 'medianL2' }),
  'leaderboard of a sweep': ({ sweep }) => board({ sweep: sweep() }),
  'leaderboard where γ is …': ({ below }) => board({ where: [`gamma:${below(20)}`] }),
  'leaderboard where γ and β are in …': ({ below }) =>
    board({ where: [`gamma:${below(10)}..${10 + below(10)}`, 'beta:0.001..0.01'], recipe: 'funn' }),
  'leaderboard, masked alike': () => board({ masked: 'equal', dataset: 'mnist' }),
  'leaderboard by configuration': () => board({ group: 'configuration' }),
  'leaderboard of a sweep by configuration': ({ sweep }) => board({ sweep: sweep(), group: 'configuration' }),
};

/** The SQL that a read consists of, taken down while it runs, so that it can be run again by itself: what the service cannot beat. */

/** What the read handed to the driver. */
export type Statement = { readonly text: string; readonly values?: unknown[] };

type Client = Awaited<ReturnType<Db['connect']>>;

const listened = (client: Client, statements: Statement[]): Client =>
  new Proxy(client, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return member;
      if (key !== 'query') return member.bind(target);
      return (statement: Statement) => {
        statements.push(statement);
        return target.query(statement);
      };
    },
  });

export const recordStatements = async (
  db: Db,
  read: (db: Db) => Promise<unknown>,
): Promise<readonly Statement[]> => {
  const statements: Statement[] = [];
  await read({ ...db, connect: async () => listened(await db.connect(), statements) });
  return statements;
};

/** One after the other, on any connection. */
export const replay = async (db: Db, statements: readonly Statement[]): Promise<void> => {
  for (const { text, values } of statements) await db.pool.query({ text, values });
};
