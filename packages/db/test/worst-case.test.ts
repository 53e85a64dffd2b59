/** The worst case over the attacks of a trial, compared with a plain loop over images, also in databases of older versions. */
import {
  type AttackInput,
  attackSpec,
  attacks as declared,
  type EvaluationRecords,
  evaluationMetrics,
  writeExtended,
} from '@funnel/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ClaimedStage, completeStage, type Db } from '../src/index.ts';
import { migrate } from '../src/migrate.ts';
import { openTestDb } from '../src/testing/index.ts';
import { createRandom, type Random } from './support/random.ts';
import { claim, evaluationOf, finish } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query, wrongAverages } from './support/tables.ts';
import { undoMigrations } from './support/undo-migrations.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());

type Met = { readonly attack: AttackInput; readonly ball?: readonly ['linf' | 'l2', number] };

/** Attacks, each with the ball of its paper. */
const met = {
  pgd: { attack: { attack: 'pgd-linf', epsilon: 0.1 }, ball: ['linf', 0.1] },
  wider: { attack: { attack: 'square-linf', epsilon: 0.3 }, ball: ['linf', 0.3] },
  round: { attack: { attack: 'apgd-ce-l2', epsilon: 2 }, ball: ['l2', 2] },
  step: { attack: { attack: 'fgsm', search: false, epsilon: 0.005 }, ball: ['linf', 0.005] },
  smallestStep: { attack: { attack: 'fgsm', search: true, epsilon: 1 } },
  smallestWalk: { attack: { attack: 'bim-l2', search: true } },
  deepfool: { attack: 'deepfool-linf' },
  pixels: { attack: 'single-pixel' },
  fab: { attack: { attack: 'fab-t-l2', epsilon: 2 } },
} as const satisfies Record<string, Met>;

const lists: readonly (readonly Met[])[] = [
  [met.pgd],
  [met.fab],
  [met.pgd, met.wider, met.round, met.fab, met.deepfool, met.pixels],
  [met.smallestStep, met.deepfool, met.round],
  [met.step, met.smallestStep],
  [met.smallestWalk, met.pixels, met.deepfool],
  [met.wider, met.pgd],
];

/** Distances: some exactly on the edges of the balls, rounded to float32, and others anywhere. */
const distance = (random: Random, edges: readonly number[]): number => {
  const edge = edges[Math.floor(random() * edges.length)]!;
  const places = [
    edge,
    Math.fround(edge) + 6e-8,
    edge + 9e-7,
    edge * 1.001 + 1e-5,
    edge * random(),
    10 * random(),
  ];
  return places[Math.floor(random() * places.length)]!;
};

const draw = (random: Random, correct: readonly boolean[], share: number): EvaluationRecords => {
  const success = correct.map((one) => one && random() < share);
  const each = <T>(value: () => T) => success.map((one) => (one ? value() : null));
  return {
    index: correct.map((_, i) => i),
    label: correct.map(() => 0),
    correct: [...correct],
    predicted: success.map(Number),
    success,
    l2: each(() => distance(random, [2])),
    linf: each(() => distance(random, [0.005, 0.1, 0.3])),
    l0: each(() => 1),
    steps: correct.map(() => 1),
    queries: correct.map(() => 1),
  };
};

/**
 * The median; an image that no attack fooled counts as infinite. For an even number it is the mean of the middle two values. Null for no
 * image.
 */
const median = (values: readonly number[]): number | null => {
  const sorted = [...values].sort((a, b) => (a === b ? 0 : a - b));
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
};

type Measured = Met & { readonly stage: string; readonly records: EvaluationRecords };

/** The worst case by a loop over the images. */
const judge = (attacks: readonly Measured[]) => {
  const reach = { linf: Number.NEGATIVE_INFINITY, l2: Number.NEGATIVE_INFINITY };
  for (const { ball } of attacks) if (ball) reach[ball[0]] = Math.max(reach[ball[0]], ball[1]);
  const anywhere = attacks.every(({ ball }) => ball === undefined);
  const least = (norm: 'l2' | 'linf', image: number) =>
    Math.min(...attacks.map(({ records }) => records[norm][image] ?? Number.POSITIVE_INFINITY));
  const worksIn = (norm: 'l2' | 'linf') =>
    attacks.some(({ attack }) => declared[attackSpec(attack).attack].norm === norm);
  const counts = ({ ball, records }: Measured, image: number): boolean => {
    if (!records.success[image]) return false;
    if (anywhere || ball) return true;
    return (['l2', 'linf'] as const).some(
      (norm) => records[norm][image]! <= reach[norm] + Math.max(1e-6, 1e-5 * reach[norm]),
    );
  };
  const { correct } = attacks[0]!.records;
  const attempted = correct.flatMap((one, image) => (one ? [image] : []));
  const fooled = attempted.filter((image) => attacks.some((attack) => counts(attack, image))).length;
  const strength = attacks.map((attack) => attempted.filter((image) => counts(attack, image)).length);
  return {
    robustAccuracy: anywhere || attempted.length === 0 ? null : (attempted.length - fooled) / correct.length,
    successRate: attempted.length === 0 ? null : fooled / attempted.length,
    medianL2: worksIn('l2') || !worksIn('linf') ? median(attempted.map((image) => least('l2', image))) : null,
    medianLinf: worksIn('linf') ? median(attempted.map((image) => least('linf', image))) : null,
    strongest: attacks.flatMap(({ stage }, i) => (strength[i] === Math.max(...strength) ? [stage] : [])),
  };
};

const complete = async (
  claimed: ClaimedStage,
  met: Met,
  records: EvaluationRecords,
  l2: number,
): Promise<void> => {
  const evaluation = evaluationOf(claimed, records.success, { l2 });
  const attempted = records.correct.filter(Boolean).length;
  const { strongest: _, medianL2: __, medianLinf: ___, ...shares } = judge([{ ...met, stage: '', records }]);
  // The summary of one attack has its medians in all norms.
  const medianIn = (norm: 'l2' | 'linf') =>
    median(
      records.correct.flatMap((one, image) =>
        one ? [records[norm][image] ?? Number.POSITIVE_INFINITY] : [],
      ),
    );
  const written = (value: number | null) => (value === null ? null : writeExtended(value));
  const alone = {
    ...shares,
    robustInterval: shares.robustAccuracy === null ? null : ([0, 1] as [number, number]),
    successInterval: shares.successRate === null ? null : ([0, 1] as [number, number]),
    ...{ medianL2: written(medianIn('l2')), medianLinf: written(medianIn('linf')) },
  };
  const { stageId, fencingToken } = claimed;
  await completeStage(db, {
    stageId,
    fencingToken,
    evaluation: {
      ...evaluation,
      records,
      summary: { ...evaluation.summary, ...alone, images: records.index.length, attempted },
    },
  });
};

/**
 * Runs a sweep with these attacks. Resolves to the results of each attack on each trial. `right`: the share of images that are classified
 * correctly when clean.
 */
const run = async (
  list: readonly Met[],
  random: Random,
  seed: number,
  right = 0.9,
): Promise<Map<string, Measured[]>> => {
  await submit(db, {
    seeds: [seed, seed + 1],
    space: { gamma: [1, 2] },
    attacks: list.map(({ attack }) => attack),
  });
  const images = 1 + Math.floor(random() * 30);
  const corrects = new Map<string, boolean[]>();
  const found = new Map<string, Measured[]>();
  for (let claimed = await claim(db); claimed; claimed = await claim(db)) {
    const { spec, stageId } = claimed;
    if (spec.kind !== 'attack') {
      await finish(db, claimed);
      continue;
    }
    const correct = corrects.get(spec.parent!) ?? Array.from({ length: images }, () => random() < right);
    corrects.set(spec.parent!, correct);
    const records = draw(random, correct, random());
    const l2 = random();
    const [row] = await query<{ trial: string; place: number }>(
      db,
      `SELECT l.trial_id AS trial, (SELECT count(*) FROM trial_stages o JOIN stages s ON s.id = o.stage_id AND s.kind = 'attack'
         WHERE o.trial_id = l.trial_id AND o.ordinal < l.ordinal)::int AS place FROM trial_stages l WHERE l.stage_id = $1`,
      [stageId],
    );
    const met = list[row!.place]!;
    await complete(claimed, met, records, l2);
    const own = found.get(row!.trial) ?? [];
    own[row!.place] = { ...met, stage: stageId, records };
    found.set(row!.trial, own);
  }
  return found;
};

type Row = {
  trial_id: string;
  metric: keyof typeof evaluationMetrics;
  stage_id: string;
  value: number | null;
  utility: number | null;
};
const worstCases = (of?: string) =>
  query<Row>(
    db,
    `SELECT trial_id, metric, stage_id, value, utility FROM scores WHERE ordinal = -1 AND ($1::text IS NULL OR trial_id = $1) ORDER BY 1, 2`,
    [of ?? null],
  );

test('agrees with a loop over the images for random attacks', async () => {
  const random = createRandom(7);
  for (const [i, list] of [...lists, ...lists, ...lists].entries()) {
    const found = await run(list, random, 100 + 2 * i, i < 2 * lists.length ? 0.9 : 0);
    expect(found.size).toBe(4);
    for (const [trial, attacks] of found) {
      const { strongest, ...wanted } = judge(attacks);
      const rows = await worstCases(trial);
      expect(rows).toHaveLength(6);
      const values = Object.fromEntries(rows.map(({ metric, value }) => [metric, value]));
      expect(values).toMatchObject(wanted);
      for (const { metric, stage_id, value, utility } of rows) {
        expect(utility).toBe(
          value === null ? null : evaluationMetrics[metric].direction === 'max' ? value : -value,
        );
        if (metric === 'robustAccuracy' || metric === 'successRate') expect(strongest).toContain(stage_id);
      }
    }
  }
  expect(await wrongAverages(db)).toEqual([]);
});

test('a sweep whose results all exist gets the worst cases of the earlier sweeps', async () => {
  const list = lists[2]!;
  const found = await run(list, createRandom(3), 200);
  const { sweepId } = await submit(db, {
    seeds: [200, 201],
    space: { gamma: [1, 2] },
    attacks: list.map(({ attack }) => attack),
  });
  // A sweep without one of the attacks has another worst case.
  const fewer = await submit(db, {
    seeds: [200, 201],
    space: { gamma: [1, 2] },
    attacks: list.slice(1).map(({ attack }) => attack),
  });
  expect(await claim(db)).toBeNull();
  const values = async (of: string, own: (attacks: Measured[]) => Measured[]) => {
    for (const [trial, attacks] of found) {
      const { strongest, ...wanted } = judge(own(attacks));
      const rows = await worstCases(`${of}${trial.slice(trial.indexOf('-'))}`);
      expect(Object.fromEntries(rows.map(({ metric, value }) => [metric, value]))).toMatchObject(wanted);
    }
  };
  await values(sweepId, (attacks) => attacks);
  await values(fewer.sweepId, (attacks) => attacks.slice(1));
  expect(await wrongAverages(db)).toEqual([]);
});

const everything = async () => ({
  summaries: await query(db, 'SELECT stage_id, summary FROM evaluations ORDER BY 1'),
  scores: await query(db, 'SELECT * FROM scores ORDER BY trial_id, ordinal, metric'),
  averages: await query(db, 'SELECT * FROM configuration_scores ORDER BY 1, 2, 3, 4'),
});

/** Removes infinite values from summaries, scores and averages, as in a database of migration 0006. */
const forgetInfinity = async (): Promise<void> => {
  await query(
    db,
    `UPDATE evaluations SET summary = summary || (SELECT jsonb_object_agg(key, NULL) FROM jsonb_each(summary) WHERE value = '"Infinity"')
     WHERE summary::text LIKE '%"Infinity"%'`,
  );
  await query(db, `UPDATE scores SET value = NULL, utility = NULL WHERE value = 'Infinity'`);
  await query(
    db,
    `UPDATE configuration_scores c SET utility = o.utility, deviation = o.deviation FROM (
       SELECT sweep_id, configuration_index, ordinal, metric, stddev_samp(utility ORDER BY trial_id) AS deviation,
         CASE WHEN count(utility) = count(*) THEN round(avg(utility ORDER BY trial_id)::numeric, 12)::float8 END AS utility
       FROM scores WHERE metric IN ('medianL2', 'medianLinf') GROUP BY 1, 2, 3, 4
     ) AS o WHERE (c.sweep_id, c.configuration_index, c.ordinal, c.metric) = (o.sweep_id, o.configuration_index, o.ordinal, o.metric)`,
  );
};

/** Writes 0 for every missing rate in summaries, scores and averages, as in a database before migration 0013. */
const inventRates = async (): Promise<void> => {
  for (const [rate, interval] of [
    ['robustAccuracy', 'robustInterval'],
    ['successRate', 'successInterval'],
  ])
    await query(
      db,
      `UPDATE evaluations SET summary = summary || jsonb_build_object($1::text, 0, $2::text, '[0, 1]'::jsonb) WHERE summary -> $1 = 'null'`,
      [rate, interval],
    );
  const rates = `metric IN ('robustAccuracy', 'successRate')`;
  await query(db, `UPDATE scores SET value = 0, utility = 0 WHERE value IS NULL AND ${rates}`);
  await query(
    db,
    `UPDATE configuration_scores c SET utility = o.utility, deviation = o.deviation FROM (
       SELECT sweep_id, configuration_index, ordinal, metric, stddev_samp(utility ORDER BY trial_id) AS deviation,
         round(avg(utility ORDER BY trial_id)::numeric, 12)::float8 AS utility
       FROM scores WHERE ${rates} GROUP BY 1, 2, 3, 4
     ) AS o WHERE (c.sweep_id, c.configuration_index, c.ordinal, c.metric) = (o.sweep_id, o.configuration_index, o.ordinal, o.metric)`,
  );
};

test('a migrated database with a rate for every evaluation loses those that say nothing', async () => {
  const wanted = await everything();
  for (const metric of ['robustAccuracy', 'successRate'])
    for (const worst of [true, false])
      for (const missing of [true, false])
        expect(
          wanted.scores.some(
            (row) =>
              row.metric === metric && (row.ordinal === -1) === worst && (row.value === null) === missing,
          ),
        ).toBe(true);
  await inventRates();
  const invented = await everything();
  expect(JSON.stringify(invented.summaries)).not.toMatch(/"(robustAccuracy|successRate)":null/);
  expect(invented.averages).not.toEqual(wanted.averages);
  await undoMigrations(db, '0013');
  expect(await migrate(db.url)).toContain('0013_rates');
  expect(await everything()).toEqual(wanted);
});

/** Writes a worst median in every norm for every attacked trial, as in a database before migration 0026. */
const inventMedians = async (): Promise<void> => {
  const medians = `ordinal = -1 AND metric IN ('medianL2', 'medianLinf')`;
  await query(
    db,
    `UPDATE scores m SET value = 1.5, utility = 1.5 FROM scores r WHERE m.value IS NULL AND m.ordinal = -1 AND m.metric IN ('medianL2', 'medianLinf')
       AND r.trial_id = m.trial_id AND r.ordinal = -1 AND r.metric = 'successRate' AND r.value IS NOT NULL`,
  );
  await query(
    db,
    `UPDATE configuration_scores c SET utility = o.utility, deviation = o.deviation FROM (
       SELECT sweep_id, configuration_index, metric, stddev_samp(utility ORDER BY trial_id) AS deviation, avg(utility ORDER BY trial_id) AS utility
       FROM scores WHERE ${medians} GROUP BY 1, 2, 3 HAVING count(utility) = count(*) AND max(utility) < 'Infinity'
     ) AS o WHERE (c.sweep_id, c.configuration_index, c.metric) = (o.sweep_id, o.configuration_index, o.metric) AND c.ordinal = -1 AND c.utility IS NULL`,
  );
};

test('a migrated database loses the worst medians in norms in which no attack works', async () => {
  const wanted = await everything();
  await inventMedians();
  const invented = await everything();
  const isInvented = ({ value }: { value?: unknown }) => value === 1.5;
  expect(new Set(invented.scores.filter(isInvented).map(({ metric }) => metric))).toEqual(
    new Set(['medianL2', 'medianLinf']),
  );
  expect(invented.averages).not.toEqual(wanted.averages);
  await undoMigrations(db, '0026');
  expect(await migrate(db.url)).toContain('0026_searched_norms');
  expect(await everything()).toEqual(wanted);
});

test('a migrated database without infinite medians gets the same worst cases', async () => {
  const wanted = await everything();
  const infinite = wanted.scores.filter(({ value }) => value === Number.POSITIVE_INFINITY);
  const missing = wanted.scores.filter(({ value, metric }) => value === null && metric !== 'noiseLevel');
  for (const some of [infinite, missing])
    for (const worst of [true, false]) expect(some.some((row) => (row.ordinal === -1) === worst)).toBe(true);
  expect(wanted.averages.some(({ utility }) => utility === Number.POSITIVE_INFINITY)).toBe(true);
  await forgetInfinity();
  expect(JSON.stringify(await everything())).not.toContain('Infinity');
  await undoMigrations(db, '0007');
  expect(await migrate(db.url)).toContain('0007_infinite_medians');
  expect(await everything()).toEqual(wanted);
});

test('a migrated older database gets the same worst cases', async () => {
  const wanted = await everything();
  expect((await worstCases()).length).toBeGreaterThan(200);
  await forgetInfinity();
  // The form of older versions: one bit per image, and a worst case without a budget.
  await query(db, `ALTER TABLE evaluations ADD COLUMN fooled VARBIT NOT NULL DEFAULT ''`);
  await query(
    db,
    `UPDATE scores w SET value = o.value, utility = o.utility, stage_id = o.stage_id FROM (
       SELECT DISTINCT ON (trial_id, metric) trial_id, metric, stage_id, value, utility FROM scores WHERE ordinal >= 0 ORDER BY trial_id, metric, utility NULLS LAST, ordinal
     ) AS o WHERE w.ordinal = -1 AND o.trial_id = w.trial_id AND o.metric = w.metric`,
  );
  await query(
    db,
    `UPDATE scores SET value = 0, utility = 0 WHERE ordinal = -1 AND metric = 'robustAccuracy'
       AND trial_id IN (SELECT trial_id FROM scores WHERE metric = 'robustAccuracy' GROUP BY 1 HAVING count(*) > 2)`,
  );
  await query(db, 'UPDATE configuration_scores SET utility = 0, deviation = 0 WHERE ordinal = -1');
  expect((await everything()).scores).not.toEqual(wanted.scores);
  await undoMigrations(db, '0006');
  expect(await migrate(db.url)).toContain('0006_worst_case');
  expect(await everything()).toEqual(wanted);
});
