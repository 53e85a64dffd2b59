/** How sure the rows of the leaderboard are: intervals, letters, and rows that rank below. */
import { wilsonInterval } from '@funnel/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Db, getSweep, getTrial } from '../src/index.ts';
import { migrate } from '../src/migrate.ts';
import { openTestDb } from '../src/testing/index.ts';
import { fgsm, fooled, type Outcome, type OutcomeOf, rankBy, runWith } from './support/evaluation-results.ts';
import { submit } from './support/submit.ts';
import { query } from './support/tables.ts';
import { undoMigrations } from './support/undo-migrations.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());

const runAll = (outcomeOf: OutcomeOf) => runWith(db, outcomeOf);
const rank = (input: object) => rankBy(db, input);

test('a guess that wins stands below the others, and so does a share of few images', async () => {
  const { sweepId: sweep } = await submit(db, {
    seeds: [1],
    space: { gamma: [1, 2, 3, 4] },
    attacks: [...fgsm],
  });
  const outcomes: Record<number, Outcome> = {
    1: { success: fooled(20, 40) },
    2: { success: fooled(0, 40), clean: 0.1, correct: 4 }, // the four images that it guesses right withstand
    3: { success: fooled(0, 20), correct: 19 },
    4: { success: fooled(10, 40), verdict: 'masked', clean: 0.1 },
  };
  await runAll(({ gamma }) => outcomes[gamma]!);
  const { items } = await rank({ sweep });
  expect(items.map((row) => [row.rank, row.hyperparameters.gamma, row.value, row.verdict])).toEqual([
    [1, 1, 0.5, 'ok'],
    [2, 3, 0.95, 'too-few'],
    [3, 4, 0.75, 'untrained'],
    [4, 2, 0.1, 'untrained'],
  ]);
  expect(items.map(({ reasons }) => reasons[0])).toEqual([
    undefined,
    'the attacks had fewer than 20 correctly classified images',
    // 2 of 20 test images; as many of ten classes are guesses
    'the clean accuracy (2.8–30.1 % of 20 images) is not clearly above 15 %, 1.5 times that of guesses with 10 classes',
    'the clean accuracy (2.8–30.1 % of 20 images) is not clearly above 15 %, 1.5 times that of guesses with 10 classes',
  ]);
  expect((await rank({ sweep, masked: 'hide' })).items.map(({ value }) => value)).toEqual([0.5]);
  expect((await rank({ sweep, masked: 'equal' })).items.map(({ value }) => value)).toEqual([
    0.95, 0.75, 0.5, 0.1,
  ]);
  const byConfiguration = await rank({ sweep, group: 'configuration' });
  expect(byConfiguration.items.map(({ verdict }) => verdict)).toEqual(items.map(({ verdict }) => verdict));
  expect((await getTrial(db, items[3]!.trialId)).verdict).toBe('untrained');
  expect((await getSweep(db, sweep)).overview!.best).toMatchObject({
    value: 0.5,
    below: { configurations: 3, ranked: 4, verdicts: { untrained: 2, 'too-few': 1 } },
  });
});

describe('seeds', () => {
  test('are pooled: two seeds have an interval within [0, 1], as wide as they differ', async () => {
    const { sweepId: sweep } = await submit(db, {
      seeds: [21, 22],
      space: { gamma: [1] },
      attacks: [...fgsm],
    });
    await runAll(({ seed }) => ({ success: fooled(seed === 21 ? 9 : 0, 40) }));
    const [row] = (await rank({ sweep, group: 'configuration' })).items;
    expect(row).toMatchObject({
      value: 0.8875,
      seeds: [21, 22],
      counts: { images: 80, correct: 80, fooled: 9 },
    });
    // Student's interval over the two seeds is 88.8 % ± 142.9 %.
    expect(row!.halfWidth).toBeGreaterThan(1);
    // The seeds 31/40 and 1 have the standard error 9/80. Wilson's interval of 71 of 80 images begins at 80.0 %.
    const low = 0.8875 - 1.959963984540054 * (9 / 80);
    expect(row!.interval).toEqual([expect.closeTo(low, 12), 1]);
    expect(row!.seedRange).toEqual([31 / 40, 1]);
    const [trial] = (await rank({ sweep })).items;
    expect(trial!.interval).toEqual(wilsonInterval(40, 40));
    expect(trial).not.toHaveProperty('seedRange');
    const [success] = (await rank({ sweep, group: 'configuration', metric: 'successRate' })).items;
    expect(success!.interval).toEqual([0, expect.closeTo(1 - low, 12)]);
    expect(success!.seedRange).toEqual([0, 9 / 40]);
    const [tested] = await query<{ n: number }>(
      db,
      `SELECT (definition #>> '{dataset,test}')::int AS n FROM sweeps WHERE id = $1`,
      [sweep],
    );
    expect(row!.cleanInterval).toEqual(wilsonInterval(Math.round(0.9 * tested!.n) * 2, tested!.n * 2));
    // Not the 100 % of the better seed.
    expect((await getSweep(db, sweep)).overview!.best).toEqual({
      ...{ trial: 0, metric: 'robustAccuracy', attack: 'fgsm', settings: { ...row!.settings } },
      ...{ value: 0.8875, seeds: 2, images: 80, interval: row!.interval, verdict: 'ok' },
    });
  });

  test('that agree have the interval of their images', async () => {
    const { sweepId: sweep } = await submit(db, {
      seeds: [31, 32],
      space: { gamma: [1] },
      attacks: [...fgsm],
    });
    await runAll(({ seed }) => ({ success: fooled(seed === 31 ? 9 : 8, 40), clean: 0.9 }));
    const [row] = (await rank({ sweep, group: 'configuration' })).items;
    expect(row!.interval).toEqual(wilsonInterval(63, 80));
  });

  test('that differ by more than two rows do tell no rows apart', async () => {
    const { sweepId: sweep } = await submit(db, {
      seeds: [33, 34],
      space: { gamma: [1, 2, 3] },
      attacks: [...fgsm],
    });
    // γ = 1 and γ = 2 differ on 20 of 80 images (p < 0.0001), but the seeds of γ = 2 are 0.25 and 0.75. Those of γ = 3 are alike.
    const counts: Record<number, readonly [number, number]> = { 1: [10, 10], 2: [30, 10], 3: [30, 30] };
    await runAll(({ gamma, seed }) => ({ success: fooled(counts[gamma]![seed - 33]!, 40) }));
    const { items } = await rank({ sweep, group: 'configuration' });
    expect(items.map((row) => [row.hyperparameters.gamma, row.value, row.letters])).toEqual([
      [1, 0.75, 'a'],
      [2, 0.5, 'ab'],
      [3, 0.25, 'b'],
    ]);
  });

  test('have the mean of their intervals for a distance, as wide as they differ', async () => {
    const { sweepId: sweep } = await submit(db, {
      ...{ seeds: [23, 24], space: { gamma: [1] } },
      objective: { attack: 'fgsm', metric: 'medianL2' },
    });
    await runAll(({ seed }) => ({ success: fooled(20, 20), l2: seed / 10, medianL2: seed / 10 }));
    const [row] = (await rank({ sweep, group: 'configuration', metric: 'medianL2' })).items;
    // Each seed has an interval of no width. The medians 2.3 and 2.4 have the standard error 0.05.
    expect(row!.interval!.map((end) => Number(end).toFixed(6))).toEqual(['2.252002', '2.447998']);
    const { best } = (await getSweep(db, sweep)).overview!;
    expect(best).toMatchObject({ metric: 'medianL2', value: row!.value, interval: row!.interval });
    expect(best).not.toHaveProperty('below');
    const noises = (await rank({ sweep, metric: 'noiseLevel' })).items;
    // Each run has other images in its noise level: letters would call runs equal or apart that say nothing of each other.
    expect(noises.map(({ letters }) => letters)).toEqual([undefined, undefined]);
    const [noise] = noises;
    expect(noise!.interval!.map((end) => Number(end).toFixed(6))).toEqual(['2.400000', '2.400000']);
  });
});

test('a reason that not all seeds of a row have says which seeds have it', async () => {
  const { sweepId: sweep } = await submit(db, {
    seeds: [26, 27],
    space: { gamma: [1] },
    attacks: [...fgsm],
  });
  await runAll(({ seed }) => ({ success: fooled(0, 40), verdict: seed === 26 ? 'ok' : 'masked' }));
  const [both] = (await rank({ sweep, group: 'configuration' })).items;
  expect(both!.reasons).toEqual([
    'fgsm: gradient-is-zero (H10): Gradients vanish on every image (1 of 2 seeds: seed 27)',
  ]);
  const single = (await rank({ sweep })).items;
  expect(single.map(({ reasons }) => reasons)).toEqual([
    [],
    ['fgsm: gradient-is-zero (H10): Gradients vanish on every image'],
  ]);
  const trialOf = (seed: number) => single.find(({ seeds }) => seeds[0] === seed)!.trialId;
  expect(both).toMatchObject({ trialId: trialOf(26), verdict: 'masked', flaggedTrialId: trialOf(27) });
  for (const row of single) expect(row).not.toHaveProperty('flaggedTrialId');
});

test('the best configuration of a sweep is the first one of its leaderboard: a seed that says nothing puts it below the others', async () => {
  const { sweepId: sweep } = await submit(db, {
    seeds: [28, 29],
    space: { gamma: [1, 2] },
    attacks: [...fgsm],
  });
  await runAll(({ gamma, seed }) => ({
    success: fooled(gamma === 1 ? 20 : 4, 40),
    ...(gamma === 2 && seed === 29 && { clean: 0.1, correct: 36 }),
  }));
  const { items } = await rank({ sweep, group: 'configuration' });
  expect(items.map(({ hyperparameters, value, verdict }) => [hyperparameters.gamma, value, verdict])).toEqual(
    [
      [1, 0.5, 'ok'],
      [2, 0.85, 'untrained'],
    ],
  );
  const below = { configurations: 1, ranked: 2, verdicts: { untrained: 1 } };
  const best = { value: 0.5, seeds: 2, verdict: 'ok', interval: wilsonInterval(40, 80), below };
  expect((await getSweep(db, sweep)).overview!.best).toMatchObject(best);
});

test('the counts of a sweep that has an attack twice are of the one in its objective', async () => {
  const { sweepId: sweep } = await submit(db, {
    ...{ seeds: [941], space: { gamma: [1, 2] }, recipes: ['funn', 'classic'] },
    attacks: [...fgsm, { attack: 'fgsm', search: false, epsilon: 0.2 }],
    objective: { attack: 'fgsm', metric: 'robustAccuracy' },
  });
  await runAll(({ gamma }) => ({ success: fooled(10, 40), verdict: gamma === 2 ? 'masked' : 'ok' }));
  // Two of funn, of which one is masked, and classic, which reads no gamma.
  expect((await getSweep(db, sweep)).overview!.best).toMatchObject({
    ...{ attack: 'fgsm', settings: { epsilon: 0.1 } },
    below: { configurations: 1, ranked: 3, verdicts: { masked: 1 } },
  });
});

test('the interval of a median has order statistics as its ends; a failure is infinite', async () => {
  const { sweepId: sweep } = await submit(db, { seeds: [31], space: { gamma: [1, 2, 3] } });
  // Of 20 values, the 6th and the 15th.
  await runAll(({ gamma }) => ({
    success: fooled([20, 11, 5][gamma - 1]!, 20),
    l2: 0.5,
    medianL2: gamma === 3 ? 'Infinity' : 0.5,
  }));
  const { items } = await rank({ sweep, metric: 'medianL2' });
  expect(items.map(({ hyperparameters, interval }) => [hyperparameters.gamma, interval])).toEqual([
    [3, ['Infinity', 'Infinity']],
    [1, [0.5, 0.5]],
    [2, [0.5, 'Infinity']],
  ]);
});

test('rows on the same images are compared by McNemar’s test, not by their intervals', async () => {
  const { sweepId: sweep } = await submit(db, {
    seeds: [41],
    space: { gamma: [1, 2, 3] },
    attacks: [...fgsm],
  });
  // 1 against 3: seven images that only 1 gets right, p = 2/128. 1 against 2: ten each. 3 against 2: ten against seventeen.
  const success = [fooled(10, 40), fooled(10, 40, 17), fooled(17, 40)];
  await runAll(({ gamma }) => ({ success: success[gamma - 1]! }));
  const { items } = await rank({ sweep });
  expect(items.map((row) => [row.hyperparameters.gamma, row.value, row.letters])).toEqual([
    [1, 0.75, 'a'],
    [2, 0.75, 'ab'],
    [3, 0.575, 'b'],
  ]);
  const [first, , third] = items;
  expect(first!.interval![0]).toBeLessThan(Number(third!.interval![1])); // the intervals overlap
  // Rates of the attacked images are compared by their intervals, so all three are alike.
  const rates = (await rank({ sweep, metric: 'successRate' })).items;
  expect(rates.map(({ letters }) => letters)).toEqual(['a', 'a', 'a']);
  const page = await rank({ sweep, limit: 1 });
  expect(page.items[0]).not.toHaveProperty('letters');
});

describe('letters', () => {
  const letters = async (input: object) =>
    (await rank(input)).items.map((row) => [row.dataset, row.value, row.letters]);

  test('stand only at rows with the data set and the settings of the best one', async () => {
    const sweepOf = (name: 'glyphs' | 'mnist', epsilon: number, seed: number) =>
      submit(db, {
        dataset: { name, train: 100, test: 20, attack: 4 },
        seeds: [seed],
        space: { gamma: [71, 72] },
        attacks: [{ attack: 'square-linf', epsilon }],
      });
    await sweepOf('glyphs', 0.1, 71);
    await runAll(({ gamma }) => ({ success: fooled(gamma === 71 ? 1 : 2, 40) }));
    await sweepOf('mnist', 0.1, 72);
    await runAll(({ gamma }) => ({ success: fooled(gamma === 71 ? 3 : 30, 40) }));
    await sweepOf('glyphs', 0.2, 73);
    await runAll(({ gamma }) => ({ success: fooled(gamma === 71 ? 4 : 31, 40) }));
    const where = 'gamma:71..72';
    expect(await letters({ attack: 'square-linf', where })).toEqual([
      ['glyphs', 0.975, 'a'],
      ['glyphs', 0.95, 'a'],
      ['mnist', 0.925, undefined],
      ['glyphs', 0.9, undefined],
      ['mnist', 0.25, undefined],
      ['glyphs', 0.225, undefined],
    ]);
    expect(await letters({ attack: 'square-linf', dataset: 'mnist', where })).toEqual([
      ['mnist', 0.925, 'a'],
      ['mnist', 0.25, 'b'],
    ]);
    // No attack changes the clean accuracy.
    expect(
      (await letters({ attack: 'square-linf', metric: 'cleanAccuracy', dataset: 'glyphs', where })).map(
        ([, , letter]) => letter,
      ),
    ).toEqual(['a', 'a', 'a', 'a']);
  });

  test('stand in a worst case only at rows that met the same attacks as the best one', async () => {
    const sweepOf = (attacks: NonNullable<Parameters<typeof submit>[1]>['attacks'], seed: number) =>
      submit(db, { seeds: [seed], space: { gamma: [81, 82] }, attacks });
    const pgd = { attack: 'pgd-linf', epsilon: 0.1 } as const;
    await sweepOf([pgd], 81);
    await runAll(({ gamma }) => ({ success: fooled(gamma === 81 ? 1 : 30, 40) }));
    await sweepOf([pgd, { attack: 'square-linf', epsilon: 0.1 }], 82);
    await runAll(() => ({ success: fooled(3, 40) }));
    expect(await letters({ attack: undefined, metric: 'robustAccuracy', where: 'gamma:81..82' })).toEqual([
      ['glyphs', 0.975, 'a'],
      ['glyphs', 0.925, undefined],
      ['glyphs', 0.925, undefined],
      ['glyphs', 0.25, 'b'],
    ]);
  });
});

test('a migrated older database has the same verdicts, and the same rows below the others', async () => {
  const everything = async () => [
    await query(db, 'SELECT id, verdict FROM trials ORDER BY 1'),
    await query(db, 'SELECT trial_id, ordinal, metric, below FROM scores ORDER BY 1, 2, 3'),
    await query(
      db,
      'SELECT sweep_id, configuration_index, ordinal, metric, below FROM configuration_scores ORDER BY 1, 2, 3, 4',
    ),
  ];
  const wanted = await everything();
  await undoMigrations(db, '0022_verdicts');
  await query(
    db,
    `UPDATE trials t SET verdict = w.verdict FROM (
       SELECT ts.trial_id, CASE WHEN bool_or(e.verdict = 'masked') THEN 'masked' ELSE 'ok' END AS verdict
       FROM trial_stages ts JOIN evaluations e ON e.stage_id = ts.stage_id GROUP BY 1) AS w WHERE w.trial_id = t.id`,
  );
  await query(db, `UPDATE scores s SET masked = t.verdict = 'masked' FROM trials t WHERE t.id = s.trial_id`);
  await query(
    db,
    `UPDATE configuration_scores c SET masked = s.masked FROM (
       SELECT sweep_id, configuration_index, bool_or(masked) AS masked FROM scores GROUP BY 1, 2) AS s
     WHERE s.sweep_id = c.sweep_id AND s.configuration_index = c.configuration_index`,
  );
  expect(await migrate(db.url)).toContain('0022_verdicts');
  expect(await everything()).toEqual(wanted);
  const verdicts = await query<{ verdict: string }>(db, 'SELECT DISTINCT verdict FROM trials ORDER BY 1');
  expect(verdicts.map(({ verdict }) => verdict)).toEqual(['masked', 'ok', 'too-few', 'untrained']);
});
