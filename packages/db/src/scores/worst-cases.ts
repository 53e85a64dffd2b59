/**
 * The worst case over the attacks of a trial, image by image, by the definition in `ranking.ts` of the contracts: the images that an attack
 * fooled inside one of the trial's balls, and the least distance that any attack found, in the norms in which an attack works. Noise level and
 * clean accuracy have no value per image: their worst case is the worst value of any attack. A missing value is never the worst. Without a ball
 * there is no robust accuracy, and where nothing was attacked there is no success rate either.
 *
 * Each set of evaluations is read once, by the transaction that completes the last attack of a trial: a thousand images and six attacks take
 * about ten milliseconds. Trials with the same evaluations share the result. The worst case over one attack is that attack.
 */
import {
  type AttackName,
  evaluationMetricNames,
  evaluationMetrics,
  isBounded,
  type Run,
  reachOf,
  threatModelOf,
  worstCaseHas,
} from '@funnel/contracts';
import { jsonb, type RowOf, text, texts } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';

/** In the order of `evaluationMetricNames`: value × sign is the utility, of which more is better. */
export const utilitySigns = evaluationMetricNames.map((name) =>
  evaluationMetrics[name].direction === 'max' ? 1 : -1,
);

/** The trials of $1 without a worst case whose attacks are all complete, each with its evaluations in order. */
const withoutWorstCase = (columns: string) => `
  SELECT ts.trial_id AS id, array_agg(e.stage_id ORDER BY ts.ordinal) AS stages ${columns}
  FROM trial_stages ts JOIN stages s ON s.id = ts.stage_id AND s.kind = 'attack' LEFT JOIN evaluations e ON e.stage_id = s.id
  WHERE ts.trial_id = ANY($1) AND NOT EXISTS (SELECT FROM scores o WHERE o.trial_id = ts.trial_id AND o.ordinal = -1)
  GROUP BY 1 HAVING bool_and(e.stage_id IS NOT NULL)`;

const unscored = withoutWorstCase(
  ', array_agg(e.attack ORDER BY ts.ordinal) AS attacks, jsonb_agg(e.settings ORDER BY ts.ordinal) AS settings',
);

const unscoredColumns = {
  id: text(),
  stages: texts(),
  attacks: texts<AttackName>(),
  settings: jsonb<readonly Run['settings'][]>(),
};

type UnscoredTrial = RowOf<typeof unscoredColumns>;

/**
 * Copies the worst cases of other trials that have exactly the same evaluations. Leaves out trials with one evaluation, for which
 * `copyOnlyAttack` is enough.
 */
const copyFromTwin = `
  INSERT INTO scores (trial_id, stage_id, metric, sweep_id, ordinal, configuration_index, attack, value, utility)
  SELECT t.id, w.stage_id, w.metric, t.sweep_id, -1, t.configuration_index, '', w.value, w.utility
  FROM (${withoutWorstCase('')}) AS d JOIN trials t ON t.id = d.id
  CROSS JOIN LATERAL (
    SELECT o.trial_id FROM trial_stages o
    WHERE o.stage_id = d.stages[1] AND EXISTS (SELECT FROM scores w WHERE w.trial_id = o.trial_id AND w.ordinal = -1)
      AND d.stages = (
        SELECT array_agg(x.stage_id ORDER BY x.ordinal) FROM trial_stages x JOIN evaluations e ON e.stage_id = x.stage_id
        WHERE x.trial_id = o.trial_id)
    LIMIT 1
  ) AS twin
  JOIN scores w ON w.trial_id = twin.trial_id AND w.ordinal = -1
  WHERE cardinality(d.stages) > 1`;

/** $1, $2: trials, and for each the median that its only attack says nothing about. */
const copyOnlyAttack = `
  INSERT INTO scores (trial_id, stage_id, metric, sweep_id, ordinal, configuration_index, attack, value, utility)
  SELECT s.trial_id, s.stage_id, s.metric, s.sweep_id, -1, s.configuration_index, '',
    CASE WHEN s.metric <> d.lacks THEN s.value END, CASE WHEN s.metric <> d.lacks THEN s.utility END
  FROM unnest($1::text[], $2::text[]) AS d (trial_id, lacks) JOIN scores s ON s.trial_id = d.trial_id AND s.ordinal >= 0`;

/**
 * SQL: the median of the least distance in this norm over the attacked images; null if no image was attacked, and if no attack works in the
 * norm.
 */
const medianOf = (norm: 'l2' | 'linf'): string =>
  `CASE WHEN z.attempted > 0 AND z.has_${norm} THEN coalesce((j.${norm}[(z.attempted + 1) / 2] + j.${norm}[z.attempted / 2 + 1]) / 2, 'Infinity') END`;

/**
 * $1–$7: the evaluations of each set, whether all adversarials of the attack count, the radii of the balls (null: no ball), and whether the set
 * has each median. $8, $9: trials and their sets. The arrays of `joint` are sorted and do not contain the images that no attack fooled: a median beyond the end of
 * an array is infinite.
 */
const insertWorstCases = `
  INSERT INTO scores (trial_id, stage_id, metric, sweep_id, ordinal, configuration_index, attack, value, utility)
  WITH attacks AS (
    SELECT * FROM unnest($1::int[], $2::text[], $3::boolean[], $4::float8[], $5::float8[], $6::boolean[], $7::boolean[])
      AS a (set_number, stage_id, counts_fully, l2, linf, has_l2, has_linf)
  ), found AS MATERIALIZED (
    SELECT a.set_number, a.stage_id, i.n, i.l2, i.linf, coalesce(a.counts_fully OR i.l2 <= a.l2 OR i.linf <= a.linf, false) AS inside
    FROM attacks a JOIN evaluations e USING (stage_id)
    CROSS JOIN LATERAL unnest(e.success, e.l2, e.linf) WITH ORDINALITY AS i (success, l2, linf, n)
    WHERE i.success
  ), strength AS (
    SELECT set_number, stage_id, count(*) FILTER (WHERE inside) AS fooled FROM found GROUP BY 1, 2
  ), images AS (
    SELECT set_number, n, min(l2) AS l2, min(linf) AS linf, bool_or(inside) AS inside FROM found GROUP BY 1, 2
  ), joint AS (
    SELECT set_number, count(*) FILTER (WHERE inside) AS fooled, array_agg(l2 ORDER BY l2) AS l2, array_agg(linf ORDER BY linf) AS linf
    FROM images GROUP BY 1
  ), sizes AS (
    SELECT a.set_number, max((e.summary ->> 'attempted')::int) AS attempted, max((e.summary ->> 'images')::int) AS images,
      bool_or(a.l2 IS NOT NULL OR a.linf IS NOT NULL) AS has_ball, bool_or(a.has_l2) AS has_l2, bool_or(a.has_linf) AS has_linf
    FROM attacks a JOIN evaluations e USING (stage_id) GROUP BY 1
  ), strongest AS (
    SELECT DISTINCT ON (s.trial_id, s.metric) d.set_number, s.*
    FROM unnest($8::text[], $9::int[]) AS d (trial_id, set_number) JOIN scores s ON s.trial_id = d.trial_id AND s.ordinal >= 0
    LEFT JOIN strength p ON p.set_number = d.set_number AND p.stage_id = s.stage_id
    ORDER BY s.trial_id, s.metric, CASE WHEN s.metric IN ('robustAccuracy', 'successRate') THEN coalesce(p.fooled, 0) END DESC NULLS LAST,
      s.utility NULLS LAST, s.ordinal
  )
  SELECT s.trial_id, s.stage_id, s.metric, s.sweep_id, -1, s.configuration_index, '', v.value, v.value * m.sign
  FROM strongest s JOIN sizes z USING (set_number) LEFT JOIN joint j USING (set_number)
  JOIN unnest($10::text[], $11::int[]) AS m (metric, sign) ON m.metric = s.metric
  CROSS JOIN LATERAL (
    SELECT CASE s.metric
      WHEN 'robustAccuracy' THEN CASE WHEN z.has_ball AND z.attempted > 0 THEN (z.attempted - coalesce(j.fooled, 0))::float8 / z.images END
      WHEN 'successRate' THEN coalesce(j.fooled, 0)::float8 / nullif(z.attempted, 0)
      WHEN 'medianL2' THEN ${medianOf('l2')}
      WHEN 'medianLinf' THEN ${medianOf('linf')}
      ELSE s.value
    END AS value
  ) AS v`;

/** The sets of one statement: they have some hundred thousand images. */
const setsPerStatement = 100;

/** Trials with the same evaluations. */
type TrialSet = readonly [UnscoredTrial, ...UnscoredTrial[]];

/** Of each attack of a trial: whether all of its adversarials count in the worst case, or else those within which distances. */
export const reachesOf = (runs: readonly Run[]) => {
  const { l2, linf } = threatModelOf(runs);
  const isUnlimited = l2 === undefined && linf === undefined;
  return runs.map((run) => ({
    countsFully: isUnlimited || isBounded(run),
    l2: l2 === undefined ? null : reachOf(l2),
    linf: linf === undefined ? null : reachOf(linf),
  }));
};

const scoreSets = (tx: Tx, sets: readonly TrialSet[]): Promise<void> => {
  const attacks = sets.flatMap(([{ stages, attacks: names, settings }], set) => {
    const runs = names.map((attack, i): Run => ({ attack, settings: settings[i]! }));
    const reaches = reachesOf(runs);
    const has = { hasL2: worstCaseHas('medianL2', runs), hasLinf: worstCaseHas('medianLinf', runs) };
    return stages.map((stage, i) => ({ set, stage, ...reaches[i]!, ...has }));
  });
  const trials = sets.flatMap((trialSet, set) => trialSet.map(({ id }) => ({ id, set })));
  return tx.run(insertWorstCases, [
    ...[
      attacks.map((row) => row.set),
      attacks.map((row) => row.stage),
      attacks.map((row) => row.countsFully),
    ],
    ...[attacks.map((row) => row.l2), attacks.map((row) => row.linf)],
    ...[attacks.map((row) => row.hasL2), attacks.map((row) => row.hasLinf)],
    ...[trials.map((row) => row.id), trials.map((row) => row.set)],
    ...[evaluationMetricNames, utilitySigns],
  ]);
};

/** An attack works in one norm, so it lacks one median. */
const lackOf = ({ attacks: names }: UnscoredTrial): string =>
  worstCaseHas(
    'medianL2',
    names.map((attack) => ({ attack })),
  )
    ? 'medianLinf'
    : 'medianL2';

/** Scores the worst cases of the trials whose attacks are all complete. The scores of each attack must exist already. */
export const scoreWorstCases = async (tx: Tx, trialIds: readonly string[]): Promise<void> => {
  const sets = new Map<string, [UnscoredTrial, ...UnscoredTrial[]]>();
  for (const trial of await tx.query(unscoredColumns, unscored, [trialIds])) {
    const key = trial.stages.join();
    const same = sets.get(key);
    if (same) same.push(trial);
    else sets.set(key, [trial]);
  }
  const withOneAttack = [...sets.values()].filter(([{ stages }]) => stages.length === 1).flat();
  if (withOneAttack.length > 0)
    await tx.run(copyOnlyAttack, [withOneAttack.map(({ id }) => id), withOneAttack.map(lackOf)]);
  const others = [...sets.values()].filter(([{ stages }]) => stages.length > 1);
  for (let first = 0; first < others.length; first += setsPerStatement)
    await scoreSets(tx, others.slice(first, first + setsPerStatement));
};

/** Copies worst cases from other trials with the same evaluations. This scores a sweep at once if all of its results exist. */
export const copyWorstCases = async (tx: Tx, trialIds: readonly string[]): Promise<void> => {
  await tx.run(copyFromTwin, [trialIds]);
};
