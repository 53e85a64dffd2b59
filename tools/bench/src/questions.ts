/** The questions of a dashboard about random sweeps and trials, each as a request and as the database read behind it. */
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

export type Question = { readonly path: string; readonly read: (db: Db) => Promise<unknown> };

/** Draws random ids of the filled tables. */
export type Draw = {
  readonly below: (limit: number) => number;
  readonly sweep: () => string;
  readonly trial: () => string;
};

/** Draws ids in the form of `fillTables`. */
export const createDraw = (sweeps: number, trialsPerSweep: number): Draw => {
  const below = (limit: number): number => Math.floor(Math.random() * limit);
  const sweep = (): string => `f${(1 + below(sweeps)).toString(16).padStart(15, '0')}`;
  return { below, sweep, trial: () => `${sweep()}-${String(below(trialsPerSweep)).padStart(5, '0')}` };
};

const limit = 50;

type LeaderboardInput = Partial<Record<keyof LeaderboardQuery, string | string[]>>;

const rankingOf = (query: LeaderboardInput): Question => {
  const words = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((word) => [name, word] as [string, string]),
  );
  const parsed = routes.leaderboard.query.parse({ ...query });
  return {
    path: `/v1/leaderboard?${new URLSearchParams(words)}`,
    read: (db) => leaderboard(db, parsed),
  };
};

export const questions: Readonly<Record<string, (draw: Draw) => Question>> = {
  'sweeps, newest 50': () => ({ path: '/v1/sweeps', read: (db) => listSweeps(db, { limit }) }),
  sweep: ({ sweep }) => {
    const id = sweep();
    return { path: `/v1/sweeps/${id}`, read: (db) => getSweep(db, id) };
  },
  'trials, first 50': ({ sweep }) => {
    const sweepId = sweep();
    return { path: `/v1/sweeps/${sweepId}/trials`, read: (db) => listTrials(db, { sweepId, limit }) };
  },
  'trials, 50 from a random one': ({ trial }) => {
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
  leaderboard: () => rankingOf({}),
  'leaderboard of an attack': () => rankingOf({ attack: 'gradient', metric: 'medianL2' }),
  'leaderboard of a sweep': ({ sweep }) => rankingOf({ sweep: sweep() }),
  'leaderboard where γ is …': ({ below }) => rankingOf({ where: [`gamma:${below(20)}`] }),
  'leaderboard where γ and β are in …': ({ below }) =>
    rankingOf({ where: [`gamma:${below(10)}..${10 + below(10)}`, 'beta:0.001..0.01'], recipe: 'funn' }),
  'leaderboard, masked ranked equally': () => rankingOf({ masked: 'equal', dataset: 'mnist' }),
  'leaderboard by configuration': () => rankingOf({ group: 'configuration' }),
  'leaderboard of a sweep by configuration': ({ sweep }) =>
    rankingOf({ sweep: sweep(), group: 'configuration' }),
};

/* The SQL of a read is recorded while it runs, so that it can be timed alone: the floor of an answer. */

/** A statement that a read sent to the database. */
export type Statement = { readonly text: string; readonly values?: unknown[] };

type Client = Awaited<ReturnType<Db['connect']>>;

const recordingClient = (client: Client, statements: Statement[]): Client =>
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
  await read({ ...db, connect: async () => recordingClient(await db.connect(), statements) });
  return statements;
};

/** Runs the statements one after the other. */
export const replay = async (db: Db, statements: readonly Statement[]): Promise<void> => {
  for (const { text, values } of statements) await db.pool.query({ text, values });
};
