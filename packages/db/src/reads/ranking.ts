/**
 * The rows of one page of the leaderboard, in order. PostgreSQL reads an index once, in order, and stops when the page is full. The columns
 * of the index are enough for all filters.
 */
import {
  type AttackName,
  ExtendedNumber,
  type HyperparameterValue,
  type LeaderboardQuery,
  type RecipeName,
  readExtended,
  type Verdict,
  writeExtended,
} from '@funnel/contracts';
import { bool, float8, int2, int4s, int8, jsonb, orNull, type RowOf, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { type AddParameter, hyperparameterCondition, wordCondition } from './hyperparameter-filters.ts';
import { isNumber, isText, readCursor, writeCursor } from './pages.ts';

/** The end of a page, and the state from which the next page continues the ranks. */
export type LeaderboardCursor = {
  readonly masked: boolean;
  readonly utility: number | null;
  readonly trial: string;
  /** The index of the stage among the stages of the trial. */
  readonly ordinal: number;
  /** The rank of the last row; the next row has the same rank if it ties. Null for a row without a value. */
  readonly rank: number | null;
  /** The number of rows so far. */
  readonly count: number;
};

/** The cursor as JSON, which has no infinity. */
type WrittenCursor = Omit<LeaderboardCursor, 'utility'> & { readonly utility: ExtendedNumber | null };

const isWrittenCursor = (value: unknown): value is WrittenCursor => {
  if (typeof value !== 'object' || value === null) return false;
  const { masked, utility, trial, ordinal, rank, count } = value as Record<string, unknown>; // every field is checked below
  return (
    typeof masked === 'boolean' &&
    ExtendedNumber.nullable().safeParse(utility).success &&
    isText(trial) &&
    [ordinal, count].every(isNumber) &&
    (rank === null || isNumber(rank))
  );
};

/** Errors: INVALID_REQUEST. */
export const readLeaderboardCursor = (cursor: string): LeaderboardCursor => {
  const written = readCursor(cursor, isWrittenCursor);
  return { ...written, utility: readExtended(written.utility) };
};

export const writeLeaderboardCursor = ({ utility, ...rest }: LeaderboardCursor): string =>
  writeCursor({
    ...rest,
    utility: utility === null ? null : writeExtended(utility),
  } satisfies WrittenCursor);

type Rankable = { readonly masked: boolean; readonly utility: number | null };

/**
 * Rows that tie share a rank; the next rank counts all of them. A row without a value has no rank. `split`: masked rows rank among themselves.
 */
export const ranksOf = (
  rows: readonly Rankable[],
  cursor: LeaderboardCursor | undefined,
  split: boolean,
): readonly (number | null)[] => {
  let last: (Rankable & { rank: number | null }) | undefined = cursor;
  let count = cursor?.count ?? 0;
  return rows.map((row) => {
    count += 1;
    const ties = last !== undefined && last.utility === row.utility && (!split || last.masked === row.masked);
    const rank = row.utility === null ? null : ties && last ? last.rank : count;
    last = { ...row, rank };
    return rank;
  });
};

/**
 * The conditions on scores `s`: the attack and metric that rank, and the filters on trials. An empty attack means the worst case. Errors:
 * INVALID_REQUEST.
 */
const scoreConditions = (
  { attack, metric, sweep, recipe, dataset, where }: LeaderboardQuery,
  add: AddParameter,
): string =>
  [
    `s.attack = ${add(attack ?? '')} AND s.metric = ${add(metric)}`,
    ...(sweep === undefined ? [] : [`s.sweep_id = ${add(sweep)}`]),
    ...(recipe.length === 0 ? [] : [wordCondition('recipe', recipe, add)]),
    ...(dataset === undefined ? [] : [wordCondition('dataset', [dataset], add)]),
    ...where.map((filter) => hyperparameterCondition(filter, add)),
  ].join(' AND ');

const rankedColumns = {
  /** In a ranking of configurations: the first seed. */
  trial_id: text(),
  /** The attack stage; for the worst case, that of the strongest attack. */
  stage_id: text(),
  ordinal: int2(),
  masked: bool(),
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
  verdict: orNull(text<Verdict>()),
  attack: text<AttackName>(),
  settings: jsonb<Record<string, unknown>>(),
};

export type RankedRow = RowOf<typeof rankedColumns>;

/** The rows that rank after the cursor, among rows with the same `masked` as the cursor. */
const rowsAfter = ({ utility, trial, ordinal }: LeaderboardCursor, add: AddParameter): string => {
  const key = `(s.trial_id, s.ordinal) > (${add(trial)}, ${add(ordinal)})`;
  if (utility === null) return `(s.utility IS NULL AND ${key})`;
  const value = add(utility);
  return `(s.utility IS NULL OR s.utility < ${value} OR (s.utility = ${value} AND ${key}))`;
};

/** The order of the index, for the rows of the table or alias `alias`. */
const orderOf = (mode: LeaderboardQuery['masked'], alias: string): string =>
  [...(mode === 'last' ? ['masked'] : []), 'utility DESC NULLS LAST', 'trial_id', 'ordinal']
    .map((key) => `${alias}.${key}`)
    .join(', ');

/** The conditions of the index scans that make up a ranking. */
const walksOf = (
  mode: LeaderboardQuery['masked'],
  cursor: LeaderboardCursor | undefined,
  add: AddParameter,
): readonly string[] => {
  const rest = cursor ? rowsAfter(cursor, add) : 'true';
  if (mode === 'hide') return [`NOT s.masked AND ${rest}`];
  if (mode === 'equal') return [`NOT s.masked AND ${rest}`, `s.masked AND ${rest}`];
  return [!cursor ? 'true' : cursor.masked ? `s.masked AND ${rest}` : `(s.masked OR ${rest})`];
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

/**
 * The rows of a page, best first, and one row more if there is one. The index has masked rows after all others. If they rank among the
 * others, the statement merges two scans. Errors: INVALID_REQUEST.
 */
export const findRanked = async (
  tx: Tx,
  query: LeaderboardQuery,
  cursor: LeaderboardCursor | undefined,
): Promise<readonly RankedRow[]> => {
  const values: unknown[] = [];
  const add: AddParameter = (value) => `$${values.push(value)}`;
  const { table, columns, joins } = groups[query.group];
  const limit = add(query.limit + 1);
  const conditions = scoreConditions(query, add);
  const walks = walksOf(query.masked, cursor, add).map(
    (rows) => `(
      SELECT s.sweep_id, s.configuration_index, s.trial_id, s.ordinal, s.metric, s.masked, s.utility FROM ${table} s
      WHERE ${conditions} AND ${rows} ORDER BY ${orderOf(query.masked, 's')} LIMIT ${limit})`,
  );
  return tx.query(
    rankedColumns,
    `WITH r AS (SELECT * FROM (${walks.join(' UNION ALL ')}) AS w ORDER BY ${orderOf(query.masked, 'w')} LIMIT ${limit})
     SELECT r.trial_id, o.stage_id, r.ordinal, r.masked, r.utility, ${columns},
       r.sweep_id, t.recipe, t.dataset, t.hyperparameters, t.verdict, e.attack, e.settings
     FROM r ${joins}
     JOIN scores o ON o.trial_id = r.trial_id AND o.ordinal = r.ordinal AND o.metric = r.metric
     JOIN evaluations e ON e.stage_id = o.stage_id
     JOIN trials t ON t.id = r.trial_id
     ORDER BY ${orderOf(query.masked, 'r')}`,
    values,
  );
};
