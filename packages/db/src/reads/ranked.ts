/** The rows of a page of the leaderboard in their places: one ordered walk through an index that has all that the filters ask for. */
import type {
  AttackName,
  DatasetName,
  HyperparameterValue,
  LeaderboardQuery,
  RecipeName,
  Verdict,
} from '@funnel/contracts';
import type { Tx } from '../connection/transaction.ts';
import type { Parameter } from './hyperparameter-filters.ts';
import type { LeaderboardCursor } from './leaderboard-cursor.ts';
import { parameters, scoreConditions } from './leaderboard-filters.ts';

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
