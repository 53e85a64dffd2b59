/**
 * A median distance is infinite when at least half of the attacked images withstand the attack. This is the best value, in the records of
 * images, on pages, in files, and when `gc` chooses the runs to keep. A run without attacked images has no value.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StartedApi, startApi } from '@funnel/api';
import { summarise } from '@funnel/attacks/statistics';
import { type Client, createClient } from '@funnel/client';
import {
  type Collection,
  type EvaluationRecords,
  isBounded,
  type LeaderboardRow,
  type TrialDetail,
} from '@funnel/contracts';
import { type ClaimedStage, completeStage, createDb, type Db } from '@funnel/db';
import { createTestDatabase, type TestDatabase } from '@funnel/db/testing';
import { parquetMetadata, parquetReadObjects, parquetSchema } from 'hyparquet';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claim, evaluationOf, finish } from '../../../packages/db/test/support/simulated-trainer.ts';
import { funnel } from './funnel.ts';

const home = mkdtempSync(join(tmpdir(), 'funnel-infinite-'));
let database: TestDatabase;
let api: StartedApi;
let client: Client;
let db: Db;

/** Distances of four images. null: the image withstands the attack. `wrong`: the clean image is misclassified, and so not attacked. */
type Found = readonly (number | null | 'wrong')[];

const recordsOf = (found: Found): EvaluationRecords => {
  const distances = found.map((one) => (one === 'wrong' ? null : one));
  const none = found.map(() => 1);
  return {
    index: found.map((_, i) => i),
    label: found.map(() => 0),
    correct: found.map((one) => one !== 'wrong'),
    predicted: found.map((one) => (typeof one === 'number' || one === 'wrong' ? 1 : 0)),
    success: distances.map((one) => one !== null),
    l2: distances,
    linf: distances.map((one) => one && one / 10),
    l0: distances.map((one) => one && 3),
    steps: none,
    queries: none,
  };
};

type Point = { readonly gamma: number; readonly seed: number };

/** Runs all ready stages. `found`: the distances that an attack finds at a point. */
const runAll = async (found: (point: Point, attack: string) => Found): Promise<void> => {
  const attack = async (claimed: ClaimedStage) => {
    const { rows } = await db.pool.query<Point>(
      `SELECT (t.hyperparameters ->> 'gamma')::float8 AS gamma, t.seed FROM trials t JOIN trial_stages l ON l.trial_id = t.id WHERE l.stage_id = $1`,
      [claimed.stageId],
    );
    const records = recordsOf(found(rows[0]!, claimed.spec.attack!.attack));
    const { stageId, fencingToken } = claimed;
    const summary = summarise(records, { width: 784, hasBudget: isBounded(claimed.spec.attack!) });
    await completeStage(db, {
      stageId,
      fencingToken,
      evaluation: { ...evaluationOf(claimed, records.success), records, summary },
    });
  };
  for (let claimed = await claim(db); claimed; claimed = await claim(db))
    await (claimed.spec.kind === 'attack' ? attack(claimed) : finish(db, claimed));
};

const submit = async (name: string, gamma: number[], seeds: number[]): Promise<string> => {
  const { id } = await client.createSweep({
    body: {
      name,
      seeds,
      dataset: { name: 'glyphs', train: 128, test: 20, attack: 4 },
      space: { gamma, initialiseEpochs: 1, optimiseEpochs: 1, classifierEpochs: 1 },
      attacks: ['deepfool-l2', 'fmn-l2'],
    },
  });
  return id;
};

const run = async (...args: string[]): Promise<string> => {
  const { status, stdout, stderr } = await funnel(args, { env: { FUNNEL_URL: api.url, FUNNEL_HOME: home } });
  expect(status, stderr).toBe(0);
  return stdout;
};
const json = async <T>(...args: string[]): Promise<T> => JSON.parse(await run(...args, '--json'));

beforeAll(async () => {
  database = await createTestDatabase();
  db = createDb(database.url);
  api = await startApi({
    databaseUrl: database.url,
    port: 0,
    engineVersion: 'stand-in',
    logger: pino({ level: 'silent' }),
  });
  client = createClient({ url: api.url });
});
afterAll(async () => {
  await api?.close();
  await db?.close();
  await database?.drop();
  rmSync(home, { recursive: true });
});

describe('runs of one seed', () => {
  /** By γ: the distances that DeepFool and FMN find. The worst case takes the smaller one of each image. */
  const found: Readonly<Record<number, readonly [Found, Found]>> = {
    1: [
      ['wrong', 'wrong', 'wrong', 'wrong'],
      ['wrong', 'wrong', 'wrong', 'wrong'],
    ],
    2: [
      [0.5, 0.5, 0.5, 0.5],
      [0.75, 0.25, 0.5, 1],
    ],
    3: [
      [1, null, null, null],
      [2, null, null, null],
    ],
    4: [
      [2, 2, null, null],
      [null, null, 4, 4],
    ], // infinite for each attack; for both together the mean of 2 and 4
    5: [
      [1, null, null, null],
      [null, 1, null, null],
    ], // the median of 1, 1, ∞, ∞ is the mean of 1 and ∞
  };
  /** Best first: [γ, value, rank]. */
  const wanted = [
    [3, 'Infinity', 1],
    [5, 'Infinity', 1],
    [4, 3, 3],
    [2, 0.5, 4],
    [1, null, null],
  ];
  const brief = (rows: readonly LeaderboardRow[]) =>
    rows.map(({ hyperparameters, value, rank }) => [hyperparameters.gamma, value, rank]);
  let sweep: string;

  beforeAll(async () => {
    sweep = await submit('one seed', [1, 2, 3, 4, 5], [0]);
    await runAll(({ gamma }, attack) => found[gamma]![attack === 'deepfool-l2' ? 0 : 1]);
  });

  it('rank infinity first and a missing value last, for any length of a page', async () => {
    for (const group of ['trial', 'configuration'] as const)
      for (const limit of [1, 2, 50]) {
        const rows: LeaderboardRow[] = [];
        let cursor: string | undefined;
        do {
          const query = { sweep, metric: 'medianL2', group, limit, cursor } as const;
          const page = await client.leaderboard({ query });
          rows.push(...page.items);
          cursor = page.next ?? undefined;
        } while (cursor !== undefined && rows.length < 10);
        expect(brief(rows)).toEqual(wanted);
      }
    const byAttack = await client.leaderboard({ query: { sweep, attack: 'fmn-l2', metric: 'medianL2' } });
    expect(brief(byAttack.items)).toEqual([
      [3, 'Infinity', 1],
      [4, 'Infinity', 1],
      [5, 'Infinity', 1],
      [2, 0.625, 4],
      [1, null, null],
    ]);
    const linf = await client.leaderboard({ query: { sweep, metric: 'medianLinf' } });
    expect(linf.items.map(({ value }) => value)).toEqual(Array(5).fill(null)); // both attacks work in L2
  });

  it('are infinite in the tables, and not missing', async () => {
    const { rows } = await db.pool.query(
      `SELECT value, utility FROM scores WHERE sweep_id = $1 AND ordinal = -1 AND metric = 'medianL2' ORDER BY utility DESC NULLS LAST, trial_id`,
      [sweep],
    );
    const values = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 3, 0.5, null];
    expect(rows).toEqual(values.map((value) => ({ value, utility: value })));
  });

  it('are filtered by their hyperparameters, also by a range up to infinity', async () => {
    const rows = (where: string) =>
      json<LeaderboardRow[]>('best', '--sweep', sweep, '--metric', 'medianL2', '--where', where);
    expect(brief(await rows('gamma:1..3'))).toEqual([
      [3, 'Infinity', 1],
      [2, 0.5, 2],
      [1, null, null],
    ]);
    expect(brief(await rows('gamma:4..Infinity'))).toEqual([
      [5, 'Infinity', 1],
      [4, 3, 2],
    ]);
  });

  it('have a summary for every attack, and a worst case', async () => {
    const { items } = await client.listTrials({ params: { id: sweep } });
    const [nothing, finite, infinite] = items as [TrialDetail, TrialDetail, TrialDetail];
    expect(nothing.evaluations[0]!.summary).toMatchObject({ attempted: 0, medianL2: null, medianL0: null });
    expect(finite.evaluations[0]!.summary).toMatchObject({ medianL2: 0.5, medianLinf: 0.05, medianL0: 3 });
    expect(infinite.evaluations[0]!.summary).toMatchObject({
      ...{ medianL2: 'Infinity', medianLinf: 'Infinity', medianL0: 'Infinity' },
      ...{ medianL2Success: 1, noiseLevel: 1 },
    });
    expect(items.map(({ worstCase }) => worstCase!.values.medianL2)).toEqual([
      null,
      0.5,
      'Infinity',
      3,
      'Infinity',
    ]);
  });

  it('are shown with ∞ in the terminal', async () => {
    const text = await run('best', '--sweep', sweep, '--metric', 'medianL2');
    expect(text).not.toContain('the same value');
    const lines = text.split('\n').filter((line) => / {2}(deepfool|fmn)-l2/.test(line));
    expect(lines.map((line) => /(\S+)\s+(deepfool|fmn)-l2/.exec(line)![1])).toEqual([
      '∞',
      '∞',
      '3',
      '0.5',
      '–',
    ]);
    const trial = await run('show', `${sweep}-00002`);
    expect(trial).toMatch(/^deepfool-l2 .* ∞ +1 +ok$/m);
    expect(trial).toContain('median L2 ∞');
    expect(await run('show', `${sweep}-00000`)).toContain('median L2 –');
  });

  it('are exported as the text Infinity in CSV and JSON, and as a double in Parquet', async () => {
    const board = ['export', '--sweep', sweep, '--metric', 'medianL2'];
    const values = ['Infinity', 'Infinity', 3, 0.5, null];
    expect((await json<LeaderboardRow[]>(...board)).map(({ value }) => value)).toEqual(values);
    const [titles = '', ...lines] = (await run(...board)).trimEnd().split('\r\n');
    const column = titles.split(',').indexOf('value');
    expect(lines.map((line) => line.replaceAll(/"[^"]*(""[^"]*)*"/g, '""').split(',')[column])).toEqual([
      ...['Infinity', 'Infinity', '3', '0.5'],
      '',
    ]);
    const file = join(home, 'evaluations.parquet');
    await run('export', 'evaluations', '--sweep', sweep, '--out', file);
    const bytes = new Uint8Array(readFileSync(file)).buffer;
    const types = new Map(
      parquetSchema(parquetMetadata(bytes)).children.map(({ element }) => [element.name, element.type]),
    );
    for (const name of ['medianL2', 'medianLinf', 'medianL0']) expect(types.get(name)).toBe('DOUBLE');
    const rows = await parquetReadObjects({ file: bytes });
    const deepfool = rows.filter(({ attack }) => attack === 'deepfool-l2');
    const infinity = Number.POSITIVE_INFINITY;
    expect(deepfool.map(({ medianL2 }) => medianL2)).toEqual([null, 0.5, infinity, infinity, infinity]);
    const boardFile = join(home, 'board.parquet');
    await run(...board, '--out', boardFile);
    const ranked = await parquetReadObjects({ file: new Uint8Array(readFileSync(boardFile)).buffer });
    expect(ranked.map(({ value }) => value)).toEqual([infinity, infinity, 3, 0.5, null]);
  });

  it('are kept by gc', async () => {
    const kept = await json<Collection>('gc', '--keep-days', '0', '--keep-best', '2', '--yes');
    expect(kept.sweeps).toMatchObject([{ id: sweep, trials: 3, kept: 2 }]);
    const { rows } = await db.pool.query(
      `SELECT t.number FROM trials t JOIN trial_stages l ON l.trial_id = t.id JOIN stages s ON s.id = l.stage_id
       WHERE t.sweep_id = $1 AND s.kind = 'classify' AND s.checkpoint IS NOT NULL ORDER BY 1`,
      [sweep],
    );
    expect(rows).toEqual([{ number: 2 }, { number: 4 }]); // γ = 3 and 5
  });
});

describe('configurations', () => {
  const distances: Readonly<Record<number, readonly (number | null | 'wrong')[]>> = {
    1: [1, 2, 3],
    2: [1, null, null],
    3: [null, 5, 4],
    4: [7, null, 'wrong'],
    5: [null, null, null],
  };
  let sweep: string;
  beforeAll(async () => {
    sweep = await submit('three seeds', [1, 2, 3, 4, 5], [1, 2, 3]);
    await runAll(({ gamma, seed }) => Array.from({ length: 4 }, () => distances[gamma]![seed - 1]!));
  });

  it('have the mean if all seeds are finite, else the median and the number of infinite seeds', async () => {
    const query = { sweep, metric: 'medianL2', group: 'configuration' } as const;
    const { items } = await client.leaderboard({ query });
    expect(
      items.map(({ hyperparameters, value, infiniteSeeds, rank }) => [
        hyperparameters.gamma,
        value,
        infiniteSeeds,
        rank,
      ]),
    ).toEqual([
      [2, 'Infinity', 2, 1],
      [5, 'Infinity', 3, 1],
      [3, 5, 1, 3],
      [1, 2, undefined, 4],
      [4, null, 1, null],
    ]);
    // Student's t for two degrees of freedom, 4.302653, times the standard error 1 / √3. A median has no interval.
    expect(items.map(({ halfWidth }) => halfWidth)).toEqual([
      ...[null, null, null],
      expect.closeTo(4.302653 / Math.sqrt(3), 6),
      null,
    ]);
    const single = await client.leaderboard({ query: { ...query, group: 'trial' } });
    expect(single.items.every(({ infiniteSeeds }) => infiniteSeeds === undefined)).toBe(true);
  });

  it('show the number of infinite seeds in the terminal and in files', async () => {
    const board = ['--sweep', sweep, '--metric', 'medianL2', '--group', 'configuration'];
    const text = await run('best', ...board);
    expect(text).toContain('∞ (2 of 3 seeds: ∞)');
    expect(text).toContain('∞ (3 of 3 seeds: ∞)');
    expect(text).toContain('5 (1 of 3 seeds: ∞)');
    expect(text).toMatch(/ 2 {2,}/); // four images have no interval of a median
    const rows = await json<{ infiniteSeeds: number }[]>('export', ...board);
    expect(rows.map(({ infiniteSeeds }) => infiniteSeeds)).toEqual([2, 3, 1, 0, 1]);
  });
});
