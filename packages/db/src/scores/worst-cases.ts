import {
  type AttackName,
  evaluationMetricNames,
  evaluationMetrics,
  isBounded,
  type Run,
  reachOf,
  threatModelOf,
} from '@funnel/contracts';
import type { Tx } from '../connection/transaction.ts';

/** In the order of `evaluationMetricNames`: what makes a utility, of which more is better, of a value. */
export const signs = evaluationMetricNames.map((name) =>
  evaluationMetrics[name].direction === 'max' ? 1 : -1,
);

/**
 * The worst case over the attacks of a trial, image by image, as `threat-model.ts` of the contracts says: which images an attack fooled
 * inside one of the trial's balls, and the least distance that any attack found. Noise level and clean accuracy are no such question: of
 * them the worst value of any attack stands; a missing one is not worse than any.
 *
 * Read once per set of evaluations: of a thousand images and six attacks in some ten milliseconds, which only the last of a trial's attacks
 * waits for. Trials that share all of their evaluations share the answer; the worst case over one attack is that attack.
 */

/** Trials all of whose attacks are complete, and the evaluations in order; `$1`: trials. */
const complete = (columns: string) => `
  SELECT ts.trial_id AS id, array_agg(e.stage_id ORDER BY ts.ordinal) AS stages ${columns}
  FROM trial_stages ts JOIN stages s ON s.id = ts.stage_id AND s.kind = 'attack' LEFT JOIN evaluations e ON e.stage_id = s.id
  WHERE ts.trial_id = ANY($1) AND NOT EXISTS (SELECT FROM scores o WHERE o.trial_id = ts.trial_id AND o.ordinal = -1)
  GROUP BY 1 HAVING bool_and(e.stage_id IS NOT NULL)`;

const due = complete(
  ', array_agg(e.attack ORDER BY ts.ordinal) AS attacks, jsonb_agg(e.settings ORDER BY ts.ordinal) AS settings',
);

type Due = {
  readonly id: string;
  readonly stages: readonly string[];
  readonly attacks: readonly AttackName[];
  readonly settings: readonly Run['settings'][];
};

/** From trials that have just the same evaluations; where it is one, nothing is to be looked for. */
const inherit = `
  INSERT INTO scores (trial_id, stage_id, metric, sweep_id, ordinal, configuration_index, attack, value, utility)
  SELECT t.id, w.stage_id, w.metric, t.sweep_id, -1, t.configuration_index, '', w.value, w.utility
  FROM (${complete('')}) AS d JOIN trials t ON t.id = d.id
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

const onlyAttack = `
  INSERT INTO scores (trial_id, stage_id, metric, sweep_id, ordinal, configuration_index, attack, value, utility)
  SELECT trial_id, stage_id, metric, sweep_id, -1, configuration_index, '', value, utility FROM scores WHERE trial_id = ANY($1) AND ordinal >= 0`;

/** Of the least distances in this norm over the attacked images; null where nothing was attacked. */
const medianOf = (norm: 'l2' | 'linf'): string =>
  `CASE WHEN z.attempted > 0 THEN coalesce((j.${norm}[(z.attempted + 1) / 2] + j.${norm}[z.attempted / 2 + 1]) / 2, 'Infinity') END`;

/**
 * $1–$5: the evaluations of each set, whether all that one found counts, and how far the balls reach (null: none). $6, $7: trials and
 * their sets. Images that withstand are not in the arrays, which are sorted: a median beyond the end is infinite.
 */
const worstCases = `
  INSERT INTO scores (trial_id, stage_id, metric, sweep_id, ordinal, configuration_index, attack, value, utility)
  WITH attacks AS (
    SELECT * FROM unnest($1::int[], $2::text[], $3::boolean[], $4::float8[], $5::float8[]) AS a (of, stage_id, whole, l2, linf)
  ), found AS MATERIALIZED (
    SELECT a.of, a.stage_id, i.n, i.l2, i.linf, coalesce(a.whole OR i.l2 <= a.l2 OR i.linf <= a.linf, false) AS inside
    FROM attacks a JOIN evaluations e USING (stage_id)
    CROSS JOIN LATERAL unnest(e.success, e.l2, e.linf) WITH ORDINALITY AS i (success, l2, linf, n)
    WHERE i.success
  ), strength AS (
    SELECT of, stage_id, count(*) FILTER (WHERE inside) AS fooled FROM found GROUP BY 1, 2
  ), images AS (
    SELECT of, n, min(l2) AS l2, min(linf) AS linf, bool_or(inside) AS inside FROM found GROUP BY 1, 2
  ), joint AS (
    SELECT of, count(*) FILTER (WHERE inside) AS fooled, array_agg(l2 ORDER BY l2) AS l2, array_agg(linf ORDER BY linf) AS linf
    FROM images GROUP BY 1
  ), sizes AS (
    SELECT a.of, max((e.summary ->> 'attempted')::int) AS attempted, max((e.summary ->> 'images')::int) AS images
    FROM attacks a JOIN evaluations e USING (stage_id) GROUP BY 1
  ), strongest AS (
    SELECT DISTINCT ON (s.trial_id, s.metric) d.of, s.*
    FROM unnest($6::text[], $7::int[]) AS d (trial_id, of) JOIN scores s ON s.trial_id = d.trial_id AND s.ordinal >= 0
    LEFT JOIN strength p ON p.of = d.of AND p.stage_id = s.stage_id
    ORDER BY s.trial_id, s.metric, CASE WHEN s.metric IN ('robustAccuracy', 'successRate') THEN coalesce(p.fooled, 0) END DESC NULLS LAST,
      s.utility NULLS LAST, s.ordinal
  )
  SELECT s.trial_id, s.stage_id, s.metric, s.sweep_id, -1, s.configuration_index, '', v.value, v.value * m.sign
  FROM strongest s JOIN sizes z USING (of) LEFT JOIN joint j USING (of)
  JOIN unnest($8::text[], $9::int[]) AS m (metric, sign) ON m.metric = s.metric
  CROSS JOIN LATERAL (
    SELECT CASE s.metric
      WHEN 'robustAccuracy' THEN (z.attempted - coalesce(j.fooled, 0))::float8 / nullif(z.images, 0)
      WHEN 'successRate' THEN coalesce(j.fooled::float8 / nullif(z.attempted, 0), 0)
      WHEN 'medianL2' THEN ${medianOf('l2')}
      WHEN 'medianLinf' THEN ${medianOf('linf')}
      ELSE s.value
    END AS value
  ) AS v`;

/** So many sets at once: some hundred thousand images. */
const atOnce = 100;

const score = (tx: Tx, sets: readonly (readonly [Due, ...Due[]])[]): Promise<unknown> => {
  const attacks = sets.flatMap(([{ stages, attacks: names, settings }], of) => {
    const runs = names.map((attack, i): Run => ({ attack, settings: settings[i]! }));
    const { l2, linf } = threatModelOf(runs);
    const unlimited = l2 === undefined && linf === undefined;
    return stages.map((stage, i) => ({
      of,
      stage,
      whole: unlimited || isBounded(runs[i]!),
      l2: l2 === undefined ? null : reachOf(l2),
      linf: linf === undefined ? null : reachOf(linf),
    }));
  });
  const trials = sets.flatMap((set, of) => set.map(({ id }) => ({ id, of })));
  return tx.query(worstCases, [
    ...[attacks.map((row) => row.of), attacks.map((row) => row.stage), attacks.map((row) => row.whole)],
    ...[attacks.map((row) => row.l2), attacks.map((row) => row.linf)],
    ...[trials.map((row) => row.id), trials.map((row) => row.of)],
    ...[evaluationMetricNames, signs],
  ]);
};

/** For those of these trials whose attacks are all complete and that have none. Their other scores must be there. */
export const scoreWorstCases = async (tx: Tx, trialIds: readonly string[]): Promise<void> => {
  const sets = new Map<string, [Due, ...Due[]]>();
  for (const trial of await tx.query<Due>(due, [trialIds])) {
    const key = trial.stages.join();
    const same = sets.get(key);
    if (same) same.push(trial);
    else sets.set(key, [trial]);
  }
  const alone = [...sets.values()].filter(([{ stages }]) => stages.length === 1).flat();
  if (alone.length > 0) await tx.query(onlyAttack, [alone.map(({ id }) => id)]);
  const all = [...sets.values()].filter(([{ stages }]) => stages.length > 1);
  for (let first = 0; first < all.length; first += atOnce) await score(tx, all.slice(first, first + atOnce));
};

/** Copies those that other trials have of the same evaluations: a sweep that has all been done before comes in at once. */
export const inheritWorstCases = async (tx: Tx, trialIds: readonly string[]): Promise<void> => {
  await tx.query(inherit, [trialIds]);
};
