/** The ranking that tells rows apart where all of them have the same value. */
import {
  type AttackName,
  distanceMetric,
  type EvaluationMetricName,
  isBounded,
  type LeaderboardPage,
  type LeaderboardQuery,
  type Run,
  tellsByDistance,
  usualMetricAmong,
} from '@funnel/contracts';
import { int8, jsonb, orNull, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import type { RankedRow } from './ranking.ts';

/** $1: trials. Their scores, or those of their configurations. */
const scoresOf = {
  trial: `SELECT s.stage_id, s.ordinal, s.attack, s.metric, s.utility FROM scores s WHERE s.trial_id = ANY($1)`,
  configuration: `SELECT s.stage_id, s.ordinal, s.attack, s.metric, c.utility
    FROM trials t JOIN scores s ON s.trial_id = t.id
    JOIN configuration_scores c ON c.sweep_id = t.sweep_id AND c.configuration_index = t.configuration_index AND c.ordinal = s.ordinal AND c.metric = s.metric
    WHERE t.id = ANY($1)`,
} satisfies Record<LeaderboardQuery['group'], string>;

/** An attack with other settings is another ranking. The worst case has an empty name and no settings. */
const countValues = (group: LeaderboardQuery['group']): string => `
  SELECT x.attack, x.metric, k.settings, count(DISTINCT x.utility) AS values
  FROM (${scoresOf[group]}) AS x JOIN evaluations e ON e.stage_id = x.stage_id
  CROSS JOIN LATERAL (SELECT CASE WHEN x.attack <> '' THEN e.settings END AS settings) AS k
  GROUP BY x.attack, x.metric, k.settings ORDER BY values DESC, min(x.ordinal), x.metric`;

/** The metrics of an attack that say how robust a model is. */
const tellingMetrics = (run: Run): readonly EvaluationMetricName[] => [
  ...(isBounded(run) ? (['robustAccuracy'] as const) : []),
  ...(tellsByDistance(run) ? [distanceMetric(run.attack)] : []),
];

/** Of the rankings by other attacks and metrics, the one that gives the rows the most different values. Undefined if none gives two. */
export const findTellsApart = async (
  tx: Tx,
  { group }: Pick<LeaderboardQuery, 'group'>,
  rows: readonly RankedRow[],
): Promise<LeaderboardPage['tellsApart']> => {
  if (rows.length < 2 || rows.some(({ utility }) => utility !== rows[0]!.utility)) return undefined;
  const rankings = await tx.query(
    {
      attack: text<AttackName | ''>(),
      metric: text<EvaluationMetricName>(),
      settings: orNull(jsonb<Record<string, unknown>>()),
      values: int8(),
    },
    countValues(group),
    [[...new Set(rows.map(({ trial_id }) => trial_id))]],
  );
  const runs = rankings.flatMap(({ attack, settings }) =>
    attack === '' || settings === null ? [] : [{ attack, settings }],
  );
  const found = rankings.find(({ attack, metric, settings, values }) => {
    const isWorst = attack === '' || settings === null;
    const telling = isWorst ? [usualMetricAmong(runs, undefined)] : tellingMetrics({ attack, settings });
    return values > 1 && telling.includes(metric);
  });
  return found && { metric: found.metric, ...(found.attack !== '' && { attack: found.attack }) };
};
