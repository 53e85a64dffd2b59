/**
 * Seeds of one configuration of a sweep, averaged: what a single lucky seed is worth. A configuration with a missing value has no mean
 * (an infinite distance has none), and one with a masked seed is masked.
 */
import type { LeaderboardQuery } from '@funnel/contracts';
import type { Tx } from '../transaction.ts';
import type { Parameter } from './knob-filters.ts';
import type { LeaderboardCursor } from './leaderboard-cursor.ts';
import { parameters, scoreConditions } from './leaderboard-filters.ts';
import type { Ranked } from './ranked.ts';

const after = (mode: LeaderboardQuery['masked'], cursor: LeaderboardCursor, p: Parameter): string => {
  const key = `(g.trial_id, g.position) > (${p(cursor.trial)}, ${p(cursor.position)})`;
  const behind =
    cursor.merit === null
      ? `g.merit IS NULL AND ${key}`
      : `(g.merit IS NULL OR g.merit < ${p(cursor.merit)} OR (g.merit = ${p(cursor.merit)} AND ${key}))`;
  if (mode !== 'last') return behind;
  return cursor.masked ? `g.masked AND (${behind})` : `(g.masked OR ${behind})`;
};

/** Means are rounded where the order of their summands would show: the same rows have the same place on every page. */
export const rankedConfigurations = async (
  tx: Tx,
  query: LeaderboardQuery,
  cursor: LeaderboardCursor | undefined,
): Promise<readonly Ranked[]> => {
  const { values, parameter } = parameters();
  const limit = parameter(query.limit + 1);
  const conditions = scoreConditions(query, parameter);
  const shown = [
    ...(query.masked === 'hide' ? ['NOT g.masked'] : []),
    ...(cursor ? [after(query.masked, cursor, parameter)] : []),
  ];
  const order = `${query.masked === 'last' ? 'g.masked, ' : ''}g.merit DESC NULLS LAST, g.trial_id, g.position`;
  return tx.query<Ranked>(
    `WITH g AS (
       SELECT * FROM (
         SELECT s.sweep_id, s.configuration_index, s.position, min(s.trial_id) AS trial_id, bool_or(s.masked) AS masked,
           CASE WHEN count(s.merit) = count(*) THEN round(avg(s.merit)::numeric, 12)::float8 END AS merit, stddev_samp(s.merit) AS deviation
         FROM scores s WHERE ${conditions}
         GROUP BY s.sweep_id, s.configuration_index, s.position
       ) AS g ${shown.length > 0 ? `WHERE ${shown.join(' AND ')}` : ''}
       ORDER BY ${order} LIMIT ${limit}
     )
     SELECT g.trial_id, o.stage_id, g.position, g.masked, g.merit, g.deviation, seeds.seeds, seeds.clean_accuracy
     FROM g
     JOIN scores o ON o.trial_id = g.trial_id AND o.position = g.position AND o.metric = ${parameter(query.metric)}
     CROSS JOIN LATERAL (
       SELECT array_agg(t.seed ORDER BY t.seed) AS seeds, avg(t.clean_accuracy) AS clean_accuracy
       FROM trials t JOIN scores p ON p.trial_id = t.id AND p.position = g.position AND p.metric = o.metric
       WHERE t.sweep_id = g.sweep_id AND t.configuration_index = g.configuration_index
     ) AS seeds
     ORDER BY ${order}`,
    values,
  );
};
