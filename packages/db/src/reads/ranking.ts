/**
 * The rows of one page of the leaderboard, in order. PostgreSQL reads an index once, in order, and stops when the page is full. The columns
 * of the index are enough for all filters.
 */
import {
  type AttackName,
  type EvaluationMetricName,
  evaluationMetrics,
  type HyperparameterValue,
  type LeaderboardQuery,
  type RecipeName,
} from '@funnel/contracts';
import {
  bool,
  float8,
  int2,
  int4,
  int4s,
  int8,
  jsonb,
  orNull,
  type RowOf,
  text,
} from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { type AddParameter, hyperparameterCondition, wordCondition } from './hyperparameter-filters.ts';
import type { LeaderboardCursor } from './leaderboard-cursor.ts';

/**
 * The conditions on scores `s`: the attack and metric that rank. An empty attack means the worst case. Over several sweeps, trials of lower
 * rungs are left out unless asked for: they trained for less time than all others.
 */
const scoreConditions = (
  { attack, metric, sweep, tag, rungs }: LeaderboardQuery,
  add: AddParameter,
): readonly string[] => [
  `s.attack = ${add(attack ?? '')} AND s.metric = ${add(metric)}`,
  ...(sweep === undefined ? [] : [`s.sweep_id = ${add(sweep)}`]),
  ...(tag.length === 0
    ? []
    : [`s.sweep_id = ANY(ARRAY(SELECT w.id FROM sweeps w WHERE w.tags @> ${add(tag)}::text[]))`]),
  ...(sweep === undefined && rungs === 'highest'
    ? [
        `NOT EXISTS (SELECT FROM decisions b WHERE b.sweep_id = s.sweep_id AND b.number = s.configuration_index AND b.below_top)`,
      ]
    : []),
];

/** The filters on the trials of scores `s`. Errors: INVALID_REQUEST. */
const filtersOf = ({ recipe, dataset, where }: LeaderboardQuery, add: AddParameter): readonly string[] => [
  ...(recipe.length === 0 ? [] : [wordCondition('recipe', recipe, add)]),
  ...(dataset === undefined ? [] : [wordCondition('dataset', [dataset], add)]),
  ...where.map((filter) => hyperparameterCondition(filter, add)),
];

const rankedColumns = {
  /** In a ranking of configurations: the first seed. */
  trial_id: text(),
  /** The attack stage; for the worst case, that of the strongest attack. */
  stage_id: text(),
  ordinal: int2(),
  below: bool(),
  /** Null: the value is missing. */
  utility: orNull(float8()),
  seeds: int4s(),
  /** In a ranking of configurations: the number of seeds with an infinite value. */
  infinite_seeds: int8(),
  /** The deviation over the seeds; null for one seed, and if a value is infinite. */
  deviation: orNull(float8()),
  clean_accuracy: orNull(float8()),
  sweep_id: text(),
  recipe: text<RecipeName>(),
  dataset: text(),
  hyperparameters: jsonb<Record<string, HyperparameterValue>>(),
  /** Null without promotion. */
  rung: orNull(int4()),
  attack: text<AttackName>(),
  settings: jsonb<Record<string, unknown>>(),
};

export type RankedRow = RowOf<typeof rankedColumns>;

/** The value behind a utility, of which more is better; null for a missing one. */
export const rankedValue = (utility: number | null, metric: EvaluationMetricName): number | null =>
  utility === null ? null : utility * (evaluationMetrics[metric].direction === 'max' ? 1 : -1) + 0; // + 0 turns −0 into 0

/** The rows that rank after the cursor, among rows with the same `below` as the cursor. */
const rowsAfter = ({ utility, trial, ordinal }: LeaderboardCursor, add: AddParameter): string => {
  const key = `(s.trial_id, s.ordinal) > (${add(trial)}, ${add(ordinal)})`;
  if (utility === null) return `(s.utility IS NULL AND ${key})`;
  const value = add(utility);
  return `(s.utility IS NULL OR s.utility < ${value} OR (s.utility = ${value} AND ${key}))`;
};

/** The order of the rows of the table or alias `alias`: that of the index, within each rung if they rank apart. */
const orderOf = (mode: LeaderboardQuery['masked'], alias: string, byRung: boolean): string =>
  [
    ...(byRung ? ['rung DESC'] : []),
    ...(mode === 'last' ? ['below'] : []),
    'utility DESC NULLS LAST',
    'trial_id',
    'ordinal',
  ]
    .map((key) => `${alias}.${key}`)
    .join(', ');

/** The conditions of the index scans that make up a ranking. */
const walksOf = (
  mode: LeaderboardQuery['masked'],
  cursor: LeaderboardCursor | undefined,
  add: AddParameter,
): readonly string[] => {
  const rest = cursor ? rowsAfter(cursor, add) : 'true';
  if (mode === 'hide') return [`NOT s.below AND ${rest}`];
  if (mode === 'equal') return [`NOT s.below AND ${rest}`, `s.below AND ${rest}`];
  return [!cursor ? 'true' : cursor.below ? `s.below AND ${rest}` : `(s.below OR ${rest})`];
};

/** The table that holds the rows in order, and the joins to the rows `r` of a page. */
const groups = {
  trial: {
    table: 'scores',
    columns:
      'ARRAY[t.seed] AS seeds, 0::bigint AS infinite_seeds, NULL::float8 AS deviation, t.clean_accuracy',
    joins: '',
  },
  configuration: {
    table: 'configuration_scores',
    columns: 'seeds.seeds, seeds.infinite_seeds, c.deviation, seeds.clean_accuracy',
    joins: `JOIN configuration_scores c USING (sweep_id, configuration_index, ordinal, metric)
      CROSS JOIN LATERAL (
        SELECT array_agg(a.seed ORDER BY a.seed) AS seeds, count(*) FILTER (WHERE abs(p.utility) = 'Infinity') AS infinite_seeds, avg(a.clean_accuracy ORDER BY a.id) AS clean_accuracy
        FROM trials a JOIN scores p ON p.trial_id = a.id AND p.ordinal = r.ordinal AND p.metric = r.metric
        WHERE a.sweep_id = r.sweep_id AND a.configuration_index = r.configuration_index
      ) AS seeds`,
  },
} satisfies Record<LeaderboardQuery['group'], unknown>;

const scoreList = 's.sweep_id, s.configuration_index, s.trial_id, s.ordinal, s.metric, s.below, s.utility';

type Walks = {
  readonly table: string;
  /** On the scores that rank. */
  readonly scores: readonly string[];
  /** On the rows that the page may show: filters, and the rest after the cursor. */
  readonly rows: readonly string[];
};

/**
 * SQL: the rows of a sweep with promotion: of each configuration those of the highest rung that has a score. No index has them in order, so
 * each page reads all scores of the sweep.
 */
const atHighestRung = ({ table, scores, rows }: Walks): string => `
  SELECT s.* FROM (
    SELECT ${scoreList}, d.rung, max(d.rung) OVER (PARTITION BY d.configuration) AS highest
    FROM ${table} s JOIN decisions d ON d.sweep_id = s.sweep_id AND d.number = s.configuration_index
    WHERE ${scores.join(' AND ')}
  ) AS s WHERE ${['s.rung = s.highest', ...rows].join(' AND ')}`;

const inOrderOfIndex = ({ table, scores, rows }: Walks): string =>
  `SELECT ${scoreList} FROM ${table} s WHERE ${[...scores, ...rows].join(' AND ')}`;

/**
 * The rows of a page, best first, and one row more if there is one. The index has the rows that rank below after all others. If they rank among the
 * others, the statement merges two scans.
 */
const findRows = (
  tx: Tx,
  query: LeaderboardQuery,
  cursor: LeaderboardCursor | undefined,
  byRung: boolean,
): Promise<readonly RankedRow[]> => {
  const values: unknown[] = [];
  const add: AddParameter = (value) => `$${values.push(value)}`;
  const { table, columns, joins } = groups[query.group];
  const limit = add(query.limit + 1);
  const scores = scoreConditions(query, add);
  const filters = filtersOf(query, add);
  const rung = byRung && cursor?.rung !== undefined ? add(cursor.rung) : null;
  const order = (alias: string): string => orderOf(query.masked, alias, byRung);
  const walks = walksOf(query.masked, cursor, add).map((walk) => {
    const rest = rung === null ? walk : `(s.rung < ${rung} OR (s.rung = ${rung} AND ${walk}))`;
    const rows = [...filters, rest];
    const select = (byRung ? atHighestRung : inOrderOfIndex)({ table, scores, rows });
    return `(${select} ORDER BY ${order('s')} LIMIT ${limit})`;
  });
  return tx.query(
    rankedColumns,
    `WITH r AS (SELECT * FROM (${walks.join(' UNION ALL ')}) AS w ORDER BY ${order('w')} LIMIT ${limit})
     SELECT r.trial_id, o.stage_id, r.ordinal, r.below, r.utility, ${columns},
       r.sweep_id, t.recipe, t.dataset, t.hyperparameters, CASE WHEN d.epochs IS NOT NULL THEN d.rung END AS rung, e.attack, e.settings
     FROM r ${joins}
     JOIN scores o ON o.trial_id = r.trial_id AND o.ordinal = r.ordinal AND o.metric = r.metric
     JOIN evaluations e ON e.stage_id = o.stage_id
     JOIN trials t ON t.id = r.trial_id
     LEFT JOIN decisions d ON d.sweep_id = r.sweep_id AND d.number = r.configuration_index
     ORDER BY ${order('r')}`,
    values,
  );
};

/**
 * The rows of a page. `byRung`: the rows of each rung rank among themselves. Those of a sweep with promotion do, unless asked otherwise. Its
 * rows have a rung, so other sweeps cost no statement more. Errors: INVALID_REQUEST.
 */
export const findRanked = async (
  tx: Tx,
  query: LeaderboardQuery,
  cursor: LeaderboardCursor | undefined,
): Promise<{ readonly rows: readonly RankedRow[]; readonly byRung: boolean }> => {
  const mayHaveRungs = query.sweep !== undefined && query.rungs === 'highest';
  if (!mayHaveRungs || cursor?.rung === undefined) {
    const rows = await findRows(tx, query, cursor, false);
    const hasRungs = rows[0] !== undefined && rows[0].rung !== null;
    if (!mayHaveRungs || !hasRungs) return { rows, byRung: false };
  }
  return { rows: await findRows(tx, query, cursor, true), byRung: true };
};
