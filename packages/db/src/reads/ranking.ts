/** Where a page of the leaderboard ended, with what the next one needs to go on ranking. */

import {
  AppError,
  type AttackName,
  type DatasetName,
  ExtendedNumber,
  type HyperparameterName,
  type HyperparameterValue,
  hyperparameterDeclaration,
  hyperparameterNames,
  isNumeric,
  type LeaderboardQuery,
  type RecipeName,
  readExtended,
  type Verdict,
  writeExtended,
} from '@funnel/contracts';
import type { Tx } from '../connection/transaction.ts';
import { isNumber, isText, readCursor, writeCursor } from './pages.ts';

export type LeaderboardCursor = {
  readonly masked: boolean;
  readonly utility: number | null;
  readonly trial: string;
  /** Which of the trial's stages. */
  readonly ordinal: number;
  /** Of the last row; the next one shares it if it ties. */
  readonly rank: number;
  /** Rows so far. */
  readonly count: number;
};

/** The cursor is JSON, which has no infinity. */
type Written = Omit<LeaderboardCursor, 'utility'> & { readonly utility: ExtendedNumber | null };

const isWritten = (value: unknown): value is Written => {
  if (typeof value !== 'object' || value === null) return false;
  const { masked, utility, trial, ordinal, rank, count } = value as Record<string, unknown>; // every field is checked below
  const isPlace = typeof masked === 'boolean' && ExtendedNumber.nullable().safeParse(utility).success;
  return isPlace && isText(trial) && [ordinal, rank, count].every(isNumber);
};

/** Errors: INVALID_REQUEST. */
export const readLeaderboardCursor = (cursor: string): LeaderboardCursor => {
  const written = readCursor(cursor, isWritten);
  return { ...written, utility: readExtended(written.utility) };
};

export const writeLeaderboardCursor = ({ utility, ...place }: LeaderboardCursor): string =>
  writeCursor({ ...place, utility: utility === null ? null : writeExtended(utility) } satisfies Written);

type Rankable = { readonly masked: boolean; readonly utility: number | null };

/** Ties share a rank, and the next one is counted after all of them. `split`: masked rows rank among themselves. */
export const ranksOf = (
  rows: readonly Rankable[],
  cursor: LeaderboardCursor | undefined,
  split: boolean,
): readonly number[] => {
  let last: (Rankable & { rank: number }) | undefined = cursor;
  let count = cursor?.count ?? 0;
  return rows.map((row) => {
    count += 1;
    const ties = last !== undefined && last.utility === row.utility && (!split || last.masked === row.masked);
    const rank = ties && last ? last.rank : count;
    last = { ...row, rank };
    return rank;
  });
};

/** `gamma:5`, `beta:0.01..0.1` and `gamma:5..Infinity` as conditions on scores. */

const refuseFilter = (filter: string, expected: string): never => {
  throw new AppError('INVALID_REQUEST', `Expected ${expected}, but got ${JSON.stringify(filter)}`, {
    issues: [{ path: 'where', expected, received: filter }],
  });
};

const isHyperparameter = (name: string): name is HyperparameterName =>
  (hyperparameterNames as readonly string[]).includes(name);

const numberOf = (filter: string, text: string): number => {
  const value = Number(text);
  return text.trim() !== '' && !Number.isNaN(value)
    ? value
    : refuseFilter(filter, 'a number, or two of them joined by ..');
};

/** Adds a value to a statement, and gives its `$n`. */
export type Parameter = (value: unknown) => string;

/** Scores `s` whose sweep agrees on such a value, or whose configuration has one. `match` is a condition on `number` or `word`. */
const condition = (hyperparameter: string, match: string): string =>
  `(s.sweep_id IN (SELECT sweep_id FROM sweep_hyperparameters WHERE hyperparameter = ${hyperparameter} AND ${match})
    OR (s.sweep_id, s.configuration_index) IN
      (SELECT sweep_id, configuration_index FROM configuration_hyperparameters WHERE hyperparameter = ${hyperparameter} AND ${match}))`;

/** `recipe` and `dataset` are told like hyperparameters. */
export const wordCondition = (
  hyperparameter: string,
  words: readonly string[],
  parameter: Parameter,
): string => condition(parameter(hyperparameter), `word = ANY(${parameter(words)})`);

/** Errors: INVALID_REQUEST. */
export const hyperparameterCondition = (filter: string, parameter: Parameter): string => {
  const [name = '', text = ''] = filter.split(':');
  if (!isHyperparameter(name))
    return refuseFilter(
      filter,
      `a hyperparameter (one of ${hyperparameterNames.join(', ')}), a colon and a value or a range`,
    );
  if (!isNumeric(hyperparameterDeclaration(name))) return wordCondition(name, [text], parameter);
  const [from = '', to = from] = text.split('..');
  const range = [from, to].map((end) => `${parameter(numberOf(filter, end))}::float8`);
  return condition(parameter(name), `number BETWEEN ${range.join(' AND ')}`);
};

/** Conditions on scores `s`: what to rank, and which trials. An empty attack is the worst case. Errors: INVALID_REQUEST. */
export const scoreConditions = (
  { attack, metric, sweep, recipe, dataset, where }: LeaderboardQuery,
  parameter: Parameter,
): string =>
  [
    `s.attack = ${parameter(attack ?? '')} AND s.metric = ${parameter(metric)}`,
    ...(sweep === undefined ? [] : [`s.sweep_id = ${parameter(sweep)}`]),
    ...(recipe.length === 0 ? [] : [wordCondition('recipe', recipe, parameter)]),
    ...(dataset === undefined ? [] : [wordCondition('dataset', [dataset], parameter)]),
    ...where.map((filter) => hyperparameterCondition(filter, parameter)),
  ].join(' AND ');

export const parameters = (): { readonly values: unknown[]; readonly parameter: Parameter } => {
  const values: unknown[] = [];
  return { values, parameter: (value) => `$${values.push(value)}` };
};

/** The rows of a page of the leaderboard in their places: one ordered walk through an index that has all that the filters ask for. */

export type Ranked = {
  /** Of a configuration: its first seed. */
  readonly trial_id: string;
  readonly ordinal: number;
  readonly masked: boolean;
  /** Null: the value is missing. */
  readonly utility: number | null;
  readonly seeds: number[];
  /** Of a configuration: its seeds whose value is infinite. */
  readonly infinite_seeds: number;
  /** Of the seeds' values; null for one, and where a seed is infinite. */
  readonly deviation: number | null;
  readonly clean_accuracy: number | null;
  readonly sweep_id: string;
  readonly recipe: RecipeName;
  readonly dataset: DatasetName;
  readonly hyperparameters: Record<string, HyperparameterValue>;
  readonly verdict: Verdict | null;
  readonly attack: AttackName;
  readonly settings: Record<string, unknown>;
};

/** Rows that rank after the cursor's among those that are masked or not alike. */
const behind = ({ utility, trial, ordinal }: LeaderboardCursor, p: Parameter): string => {
  const key = `(s.trial_id, s.ordinal) > (${p(trial)}, ${p(ordinal)})`;
  if (utility === null) return `(s.utility IS NULL AND ${key})`;
  const value = p(utility);
  return `(s.utility IS NULL OR s.utility < ${value} OR (s.utility = ${value} AND ${key}))`;
};

/** Of rows `of`; the index's own. */
const orderOf = (mode: LeaderboardQuery['masked'], of: string): string =>
  [...(mode === 'last' ? ['masked'] : []), 'utility DESC NULLS LAST', 'trial_id', 'ordinal']
    .map((key) => `${of}.${key}`)
    .join(', ');

/** Of the walks through the index that a ranking consists of: which rows. */
const walksOf = (
  mode: LeaderboardQuery['masked'],
  cursor: LeaderboardCursor | undefined,
  p: Parameter,
): readonly string[] => {
  const rest = cursor ? behind(cursor, p) : 'true';
  if (mode === 'hide') return [`NOT s.masked AND ${rest}`];
  if (mode === 'equal') return [`NOT s.masked AND ${rest}`, `s.masked AND ${rest}`];
  return [!cursor ? 'true' : cursor.masked ? `s.masked AND ${rest}` : `(s.masked OR ${rest})`];
};

/** Where the rows are kept in order, and what to join to those of a page, `r`. */
const groups = {
  trial: {
    table: 'scores',
    columns: 'ARRAY[t.seed] AS seeds, 0 AS infinite_seeds, NULL::float8 AS deviation, t.clean_accuracy',
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
 * Best first, and one more than asked for if there is one. A walk ends when the page is full. Masked rows come after all others in the
 * index; where they rank among them, two walks are merged. Errors: INVALID_REQUEST.
 */
export const findRanked = async (
  tx: Tx,
  query: LeaderboardQuery,
  cursor: LeaderboardCursor | undefined,
): Promise<readonly Ranked[]> => {
  const { values, parameter } = parameters();
  const { table, columns, joins } = groups[query.group];
  const limit = parameter(query.limit + 1);
  const conditions = scoreConditions(query, parameter);
  const walks = walksOf(query.masked, cursor, parameter).map(
    (rows) => `(
      SELECT s.sweep_id, s.configuration_index, s.trial_id, s.ordinal, s.metric, s.masked, s.utility FROM ${table} s
      WHERE ${conditions} AND ${rows} ORDER BY ${orderOf(query.masked, 's')} LIMIT ${limit})`,
  );
  return tx.query<Ranked>(
    `WITH r AS (SELECT * FROM (${walks.join(' UNION ALL ')}) AS w ORDER BY ${orderOf(query.masked, 'w')} LIMIT ${limit})
     SELECT r.trial_id, r.ordinal, r.masked, r.utility, ${columns},
       r.sweep_id, t.recipe, t.dataset, t.hyperparameters, t.verdict, e.attack, e.settings
     FROM r ${joins}
     JOIN scores o ON o.trial_id = r.trial_id AND o.ordinal = r.ordinal AND o.metric = r.metric
     JOIN evaluations e ON e.stage_id = o.stage_id
     JOIN trials t ON t.id = r.trial_id
     ORDER BY ${orderOf(query.masked, 'r')}`,
    values,
  );
};
