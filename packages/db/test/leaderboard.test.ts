import { type LeaderboardQuery, type LeaderboardRow, routes } from '@funnel/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  annotateSweep,
  type ClaimedStage,
  completeStage,
  type Db,
  getTrial,
  leaderboard,
  listTrials,
} from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';
import { claim, evaluationOf, finish } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query } from './support/tables.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());

type Outcome = Parameters<typeof evaluationOf>[2] & { readonly success: readonly boolean[] };

/** Runs all ready stages; `outcome` gives the result of an attack on the trial of this γ and seed. */
const runAll = async (outcome: (gamma: number, attack: string, seed: number) => Outcome): Promise<void> => {
  for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
    if (claimed.spec.kind !== 'attack') await finish(db, claimed);
    else await attack(claimed, outcome);
  }
};

const attack = async (
  claimed: ClaimedStage,
  outcome: (gamma: number, attack: string, seed: number) => Outcome,
) => {
  const [trial] = await query<{ gamma: number; seed: number }>(
    db,
    `SELECT (t.hyperparameters ->> 'gamma')::float8 AS gamma, t.seed FROM trials t JOIN trial_stages ts ON ts.trial_id = t.id WHERE ts.stage_id = $1 LIMIT 1`,
    [claimed.stageId],
  );
  const { success, ...options } = outcome(trial!.gamma, claimed.spec.attack!.attack, trial!.seed);
  const { stageId, fencingToken } = claimed;
  await completeStage(db, { stageId, fencingToken, evaluation: evaluationOf(claimed, success, options) });
};

const parse = (input: object): LeaderboardQuery => routes.leaderboard.query.parse(input) as LeaderboardQuery;
const rank = async (input: object) => (await leaderboard(db, parse(input))).items;
const brief = (rows: readonly LeaderboardRow[]) =>
  rows.map((row) => [row.rank, row.hyperparameters.gamma, row.value]);

/** The success of each image: the first `count` of `of` images are fooled. */
const fooled = (count: number, of = 4) => Array.from({ length: of }, (_, i) => i < count);

describe('one attack', () => {
  let sweep: string;
  beforeAll(async () => {
    const submitted = await submit(db, { seeds: [1], space: { gamma: [1, 2, 3, 4, 5] } });
    sweep = submitted.sweepId;
    const outcomes: Record<number, Outcome> = {
      1: { success: fooled(3), medianL2: 0.3 },
      2: { success: fooled(1), medianL2: null },
      3: { success: fooled(1), medianL2: 0.7 },
      4: { success: fooled(0), medianL2: 0.1, verdict: 'masked' },
      5: { success: fooled(4), medianL2: null, verdict: 'suspect' },
    };
    await runAll((gamma) => outcomes[gamma]!);
  });

  test('ranks the best first; ties share a rank; masked runs come after all others, with the reason', async () => {
    const rows = await rank({ sweep, attack: 'fgsm' });
    expect(brief(rows)).toEqual([
      [1, 2, 0.75],
      [1, 3, 0.75],
      [3, 1, 0.25],
      [4, 5, 0],
      [5, 4, 1],
    ]);
    expect(rows[4]).toMatchObject({
      verdict: 'masked',
      reasons: ['fgsm: gradient-is-zero (H10): Gradients vanish on every image'],
      trialId: `${sweep}-00003`,
      seeds: [1],
      halfWidth: null,
      attack: 'fgsm',
      metric: 'robustAccuracy',
      cleanAccuracy: 0.9,
    });
    expect(rows[3]).toMatchObject({ verdict: 'suspect' });
    expect(rows[0]).toMatchObject({ verdict: 'ok', reasons: [] });
    for (const row of rows)
      expect(routes.leaderboard.response.shape.items.element.safeParse(row).success).toBe(true);
  });

  test('can show the runs of the sweeps that carry all of some tags', async () => {
    await annotateSweep(db, sweep, { tags: ['x', 'y'] });
    const all = brief(await rank({ sweep, attack: 'fgsm' }));
    expect(brief(await rank({ tag: ['y', 'x'], attack: 'fgsm' }))).toEqual(all);
    expect(brief(await rank({ tag: 'X', attack: 'fgsm', group: 'configuration' }))).toEqual(all);
    expect(await rank({ tag: ['x', 'other'], attack: 'fgsm' })).toEqual([]);
  });

  test('can rank masked runs among the others, or leave them out', async () => {
    expect(brief(await rank({ sweep, attack: 'fgsm', masked: 'equal' })).map(([, gamma]) => gamma)).toEqual([
      4, 2, 3, 1, 5,
    ]);
    expect(brief(await rank({ sweep, attack: 'fgsm', masked: 'hide' })).map(([, gamma]) => gamma)).toEqual([
      2, 3, 1, 5,
    ]);
  });

  test('ranks a missing value last; ranks small values first for a metric to minimise', async () => {
    expect(brief(await rank({ sweep, attack: 'fgsm', metric: 'medianL2', masked: 'equal' }))).toEqual([
      [1, 3, 0.7],
      [2, 1, 0.3],
      [3, 4, 0.1],
      [null, 2, null],
      [null, 5, null],
    ]);
    expect(brief(await rank({ sweep, attack: 'fgsm', metric: 'successRate', masked: 'equal' }))).toEqual([
      [1, 4, 0],
      [2, 2, 0.25],
      [2, 3, 0.25],
      [4, 1, 0.75],
      [5, 5, 1],
    ]);
  });

  test('pages have no gap between them, and continue the ranks', async () => {
    for (const masked of ['last', 'equal', 'hide'] as const)
      for (const metric of ['robustAccuracy', 'medianL2'] as const)
        for (const group of ['trial', 'configuration'] as const) {
          const whole = await rank({ sweep, attack: 'fgsm', metric, masked, group });
          const pieces: LeaderboardRow[] = [];
          let cursor: string | undefined;
          do {
            const page = await leaderboard(
              db,
              parse({ sweep, attack: 'fgsm', metric, masked, group, limit: 1, cursor }),
            );
            pieces.push(...page.items);
            cursor = page.next ?? undefined;
          } while (cursor !== undefined && pieces.length < 10);
          // Only rows of one page are compared.
          expect(pieces).toEqual(whole.map(({ letters: _, ...row }) => row));
        }
    await expect(leaderboard(db, parse({ cursor: 'bm90aGluZw' }))).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
  });

  test('a filter finds the values that a table rounds to it', async () => {
    const beta = { min: 0.001, max: 0.1, count: 4, scale: 'log' as const };
    const { sweepId } = await submit(db, { seeds: [9], space: { gamma: 5, beta, batchSize: [16, 17] } });
    await runAll(() => ({ success: fooled(1) }));
    const found = async (where: string) =>
      (await rank({ sweep: sweepId, attack: 'fgsm', where })).map(({ hyperparameters }) => hyperparameters);
    const betas = async (where: string) =>
      [...new Set((await found(where)).map((values) => Number(values.beta)))].sort((a, b) => a - b);
    const [, second = 0, third = 0] = await betas('gamma:5');
    expect([second, third]).toEqual([0.00464158883361, 0.0215443469003]);
    expect(await betas('beta:0.004642')).toEqual([second]); // as tables show it
    expect(await betas('beta:4.64e-3')).toEqual([second]);
    expect(await betas(`beta:${second}`)).toEqual([second]);
    expect(await betas('beta:0.0046415888')).toEqual([second]);
    expect(await betas('beta:0.004642..0.02154')).toEqual([second, third]);
    for (const other of ['0.004643', '0.0046415', '0.005', '0.00464158883361001'])
      expect(await betas(`beta:${other}`), other).toEqual([]);
    expect((await found('batchSize:16')).map(({ batchSize }) => batchSize)).toEqual([16, 16, 16, 16]);
    expect(await found('batchSize:16.4')).toEqual([]);
  });

  test('filters by sweep, recipe, data set and hyperparameters', async () => {
    expect(brief(await rank({ sweep, attack: 'fgsm', where: ['gamma:2..3'] }))).toHaveLength(2);
    expect(brief(await rank({ sweep, attack: 'fgsm', where: 'gamma:5' }))).toEqual([[1, 5, 0]]);
    expect(await rank({ sweep, attack: 'fgsm', where: ['gamma:2..3', 'filters:16-32'] })).toEqual([]);
    expect(await rank({ sweep, attack: 'fgsm', where: ['filters:32-64'] })).toHaveLength(5);
    // Trials leave out a hyperparameter that a later version added while it has its default.
    for (const where of ['architecture:convolutional', 'kernelSize:3', 'kernelSize:2..4', 'augmentCrop:0'])
      expect(await rank({ sweep, attack: 'fgsm', where }), where).toHaveLength(5);
    for (const where of ['architecture:mlp', 'kernelSize:5', 'kernelSize:4..7', 'augmentCrop:0.1'])
      expect(await rank({ sweep, attack: 'fgsm', where }), where).toEqual([]);
    expect(await rank({ sweep, attack: 'gradient' })).toEqual([]);
    expect(await rank({ sweep, recipe: ['classic'] })).toEqual([]);
    expect(await rank({ sweep, recipe: 'funn', dataset: 'glyphs' })).toHaveLength(5);
    expect(await rank({ sweep, dataset: 'mnist' })).toEqual([]);
    await expect(rank({ where: ['gama:5'] })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    for (const where of [
      'gamma:a..b',
      'gamma:0x10',
      'gamma:1e999',
      'gamma:5..1',
      'gamma:1..2..3',
      'gamma: 5',
    ])
      await expect(rank({ where }), where).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    expect(await rank({ sweep, attack: 'fgsm', where: 'gamma:5..Infinity' })).toHaveLength(1);
    await expect(rank({ sweep: 'none' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'Expected a sweep, but there is none with id none',
    });
  });
});

describe('the worst case', () => {
  test('counts images, exists when all attacks are complete, and names the strongest attack', async () => {
    const { sweepId: sweep } = await submit(db, {
      seeds: [2],
      space: { gamma: [1, 2] },
      attacks: ['fgsm', 'gradient'],
    });
    const masks: Record<string, Outcome> = {
      '1 fgsm': { success: [true, false, false, false], l2: 0.9 },
      '1 gradient': { success: [false, true, true, false], l2: 0.7, medianL2: null },
      '2 fgsm': { success: [true, true, true, false], l2: 0.5, medianL2: 0.5 },
      '2 gradient': { success: [true, true, false, false], l2: 0.4, medianL2: 0.4, verdict: 'masked' },
    };
    for (let i = 0; i < 3; i++) await finish(db, (await claim(db))!);
    await attack((await claim(db))!, (gamma, name) => masks[`${gamma} ${name}`]!);
    expect(await rank({ sweep })).toEqual([]);
    expect(await rank({ sweep, attack: 'fgsm' })).toHaveLength(1);
    await runAll((gamma, name) => masks[`${gamma} ${name}`]!);
    const rows = await rank({ sweep });
    // No attack here has a ball, so every adversarial image counts, and there is no robust accuracy.
    expect(
      rows.map((row) => [
        row.rank,
        row.hyperparameters.gamma,
        row.value,
        row.attack,
        row.verdict,
        row.within,
      ]),
    ).toEqual([
      [null, 1, null, 'gradient', 'ok', {}],
      [null, 2, null, 'fgsm', 'masked', {}],
    ]);
    expect((await rank({ sweep, metric: 'successRate' }))[0]!.value).toBe(0.75);
    // The least distance of each image: 0.7, 0.7, 0.9, ∞ and 0.4, 0.4, 0.5, ∞.
    expect((await rank({ sweep, metric: 'medianL2' })).map((row) => [row.value, row.attack])).toEqual([
      [0.8, 'fgsm'],
      [0.45, 'gradient'],
    ]);
    const one = await rank({ sweep, attack: 'fgsm' });
    expect(one.map((row) => [row.verdict, row.within])).toEqual([
      ['ok', undefined],
      ['masked', undefined],
    ]);
    for (const row of rows)
      expect(routes.leaderboard.response.shape.items.element.safeParse(row).success).toBe(true);
  });

  test('of attacks with a fixed ε and others counts images within ε, in the ranking and in the trial', async () => {
    const { sweepId: sweep } = await submit(db, {
      seeds: [3],
      space: { gamma: [1, 2] },
      attacks: [
        'deepfool-l2',
        { attack: 'pgd-linf', epsilon: 0.2 },
        { attack: 'fgsm', search: false, epsilon: 0.1 },
      ],
    });
    // `evaluationOf` makes the L∞ distance half of the L2 distance, so DeepFool's images are inside the ball only for γ = 1.
    await runAll((gamma, name) =>
      name === 'deepfool-l2'
        ? { success: fooled(4), l2: gamma === 1 ? 0.3 : 3 }
        : { success: fooled(name === 'fgsm' ? 0 : 1), l2: 0.2 },
    );
    const rows = await rank({ sweep });
    expect(rows.map((row) => [row.hyperparameters.gamma, row.value, row.attack, row.within])).toEqual([
      [2, 0.75, 'pgd-linf', { linf: 0.2 }],
      [1, 0, 'deepfool-l2', { linf: 0.2 }],
    ]);
    expect(rows.map(({ letters, counts }) => [letters, counts])).toEqual([
      ['a', { images: 20, correct: 20, fooled: 5 }],
      ['b', { images: 20, correct: 20, fooled: 20 }],
    ]);
    const trial = await getTrial(db, rows[0]!.trialId);
    // The least distances of 20 images: 5 times L2 0.2, 15 times 3. The ends are those at ranks 6 and 15.
    const intervals = { medianL2: [3, 3], medianLinf: [1.5, 1.5], noiseLevel: [0.2, 0.2] };
    expect(trial.worstCase).toEqual({
      intervals,
      within: { linf: 0.2 },
      values: {
        ...{ robustAccuracy: 0.75, successRate: 0.25, medianL2: 3, medianLinf: 1.5 },
        ...{ noiseLevel: 0.2, cleanAccuracy: 1 },
      },
    });
    const { items } = await listTrials(db, { sweepId: sweep, limit: 10 });
    expect({ ...items[1]!.worstCase, intervals }).toEqual(trial.worstCase);
  });

  test('names the attacks that are as strong as the strongest', async () => {
    const { sweepId: sweep } = await submit(db, {
      seeds: [5],
      space: { gamma: [1, 2, 3] },
      attacks: [
        { attack: 'fgsm', search: false, epsilon: 0.1 },
        { attack: 'pgd-linf', epsilon: 0.1 },
        { attack: 'square-linf', epsilon: 0.1 },
        'deepfool-linf',
      ],
    });
    // γ = 1: three attacks fool the same images, DeepFool only outside the ball. γ = 2: PGD alone. γ = 3: DeepFool and PGD, inside the ball.
    const counts: Record<string, number> = {
      ...{ '1 fgsm': 1, '1 pgd-linf': 1, '1 square-linf': 1, '1 deepfool-linf': 4 },
      ...{ '2 fgsm': 1, '2 pgd-linf': 3, '2 square-linf': 1, '2 deepfool-linf': 4 },
      ...{ '3 fgsm': 1, '3 pgd-linf': 4, '3 square-linf': 2, '3 deepfool-linf': 4 },
    };
    await runAll((gamma, name) => ({
      success: fooled(counts[`${gamma} ${name}`]!),
      l2: name === 'deepfool-linf' && gamma < 3 ? 1 : 0.15, // L∞ is half of it
    }));
    const tied = (rows: readonly LeaderboardRow[]) =>
      Object.fromEntries(rows.map((row) => [row.hyperparameters.gamma, [row.attack, row.tied]]));
    expect(tied(await rank({ sweep, metric: 'robustAccuracy' }))).toEqual({
      1: ['fgsm', ['pgd-linf', 'square-linf']],
      2: ['pgd-linf', undefined],
      3: ['pgd-linf', ['deepfool-linf']],
    });
    expect(tied(await rank({ sweep, attack: 'fgsm' }))[1]).toEqual(['fgsm', undefined]);
  });

  test('counts the strength of an attack over all seeds of a row', async () => {
    const { sweepId: sweep } = await submit(db, {
      seeds: [7, 8],
      space: { gamma: [1, 2] },
      attacks: [
        { attack: 'fgsm', search: false, epsilon: 0.1 },
        { attack: 'pgd-linf', epsilon: 0.1 },
        { attack: 'square-linf', epsilon: 0.1 },
      ],
    });
    // γ = 1: FGSM and PGD tie on the first seed, but PGD fools more on the second. γ = 2: FGSM 3 + 1, PGD 1 + 3, Square 2 + 2, in all the same.
    const counts: Record<string, readonly [number, number]> = {
      ...{ '1 fgsm': [3, 1], '1 pgd-linf': [3, 2], '1 square-linf': [1, 1] },
      ...{ '2 fgsm': [3, 1], '2 pgd-linf': [1, 3], '2 square-linf': [2, 2] },
    };
    await runAll((gamma, name, seed) => ({
      success: fooled(counts[`${gamma} ${name}`]![seed - 7]!),
      l2: 0.15,
    }));
    const rows = await rank({ sweep, metric: 'robustAccuracy', group: 'configuration' });
    expect(
      Object.fromEntries(rows.map((row) => [row.hyperparameters.gamma, [row.attack, row.tied]])),
    ).toEqual({
      1: ['pgd-linf', undefined],
      2: ['fgsm', ['pgd-linf', 'square-linf']],
    });
  });
});

test('a trial of which nothing was attacked has no rate and no rank', async () => {
  const { sweepId: sweep } = await submit(db, { seeds: [4], space: { gamma: [1, 2] }, attacks: bounded });
  const nothing = { attempted: 0, cleanAccuracy: 0, successes: 0 };
  const none = { successRate: null, successInterval: null, robustAccuracy: null, robustInterval: null };
  for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
    const { stageId, fencingToken, spec } = claimed;
    if (spec.kind !== 'attack') {
      await finish(db, claimed);
      continue;
    }
    const [trial] = await query<{ number: number }>(
      db,
      'SELECT t.number FROM trials t JOIN trial_stages ts ON ts.trial_id = t.id WHERE ts.stage_id = $1',
      [stageId],
    );
    const evaluation = evaluationOf(claimed, fooled(trial!.number === 0 ? 4 : 0), { medianL2: null });
    if (trial!.number === 1) {
      Object.assign(evaluation.summary, nothing, none);
      evaluation.records.correct.fill(false);
    }
    await completeStage(db, { stageId, fencingToken, evaluation });
  }
  for (const metric of ['robustAccuracy', 'successRate'] as const)
    for (const attack of ['fgsm', undefined])
      expect(
        (await rank({ sweep, attack, metric })).map((row) => [
          row.rank,
          row.hyperparameters.gamma,
          row.value,
        ]),
      ).toEqual([
        [1, 1, metric === 'robustAccuracy' ? 0 : 1],
        [null, 2, null],
      ]);
  const { items } = await listTrials(db, { sweepId: sweep, limit: 10 });
  expect(items[1]!.worstCase?.values).toMatchObject({ robustAccuracy: null, successRate: null });
});

const bounded = [
  { attack: 'fgsm' as const, search: false },
  { attack: 'pgd-linf' as const, epsilon: 0.2 },
];

describe('seeds', () => {
  test('are averaged with Student’s interval; with a missing value there is no mean', async () => {
    const { sweepId: sweep } = await submit(db, { seeds: [10, 11, 12], space: { gamma: [1, 2] } });
    await runAll((gamma, _, seed) => ({
      success: fooled(gamma === 1 ? seed - 10 : 2),
      medianL2: gamma === 1 && seed === 12 ? null : 0.5,
    }));
    const rows = await rank({ sweep, attack: 'fgsm', group: 'configuration' });
    expect(rows.map((row) => [row.rank, row.hyperparameters.gamma, row.value, row.seeds])).toEqual([
      [1, 1, 0.75, [10, 11, 12]],
      [2, 2, 0.5, [10, 11, 12]],
    ]);
    // The deviation of 1, 0.75, 0.5 is 0.25; t(2) = 4.302653.
    expect(rows[0]!.halfWidth).toBeCloseTo((4.302653 * 0.25) / Math.sqrt(3), 5);
    expect(rows[1]!.halfWidth).toBe(0);
    const distances = await rank({ sweep, attack: 'fgsm', group: 'configuration', metric: 'medianL2' });
    expect(distances.map((row) => [row.hyperparameters.gamma, row.value, row.halfWidth])).toEqual([
      [2, 0.5, 0],
      [1, null, null],
    ]);
  });
});

test('a run that another sweep has submitted too says which earlier row it repeats', async () => {
  const [tag, input] = [['twice'], { seeds: [30, 31], space: { gamma: [1, 2] } }];
  const first = await submit(db, input);
  await runAll((gamma) => ({ success: fooled(gamma) }));
  const again = await submit(db, { ...input, space: { gamma: [2, 1, 3] } });
  await runAll((gamma) => ({ success: fooled(gamma) }));
  for (const { sweepId } of [first, again]) await annotateSweep(db, sweepId, { tags: tag });
  const query = { tag, attack: 'fgsm', group: 'configuration' };
  const repeats = (rows: readonly LeaderboardRow[]) =>
    rows.map((row) => [row.trialId, row.hyperparameters.gamma, row.rank, row.sameAs]);
  const [a, b] = [first.sweepId, again.sweepId];
  expect(repeats(await rank(query))).toEqual([
    [`${a}-00000`, 1, 1, undefined],
    [`${b}-00002`, 1, 1, `${a}-00000`],
    [`${a}-00002`, 2, 3, undefined],
    [`${b}-00000`, 2, 3, `${a}-00002`],
    [`${b}-00004`, 3, 5, undefined],
  ]);
  // Also where the earlier row is on another page.
  const pages: LeaderboardRow[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await leaderboard(db, parse({ ...query, limit: 1, ...(cursor && { cursor }) }));
    pages.push(...page.items);
    cursor = page.next;
  } while (cursor);
  expect(repeats(pages)).toEqual(repeats(await rank(query)));
  expect(
    repeats(await rank({ sweep: b, attack: 'fgsm', group: 'configuration' })).map((row) => row[3]),
  ).toEqual([...[undefined, undefined, undefined]]);
  expect((await rank({ tag })).filter(({ sameAs }) => sameAs !== undefined)).toHaveLength(4);
});
