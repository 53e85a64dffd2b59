/**
 * Seeds of one configuration of a sweep, averaged: what a single lucky seed is worth. A configuration with a missing value has no mean
 * (an infinite distance has none), and one with a masked seed is masked.
 */
import type { LeaderboardQuery } from '@funnel/contracts';
import type { Tx } from '../transaction.ts';
import type { LeaderboardCursor } from './leaderboard-cursor.ts';
import { scoreConditions } from './leaderboard-filters.ts';
import type { Ranked } from './ranked.ts';

const after = (
  mode: LeaderboardQuery['masked'],
  cursor: LeaderboardCursor,
  p: (value: unknown) => string,
): string => {
  const key = `(g.trial_id, g.position) > (${p(cursor.trial)}, ${p(cursor.position)})`;
  const behind =
    cursor.merit === null
      ? `g.merit IS NULL AND ${key}`
      : `(g.merit IS NULL OR g.merit < ${p(cursor.merit)} OR (g.merit = ${p(cursor.merit)} AND ${key}))`;
  if (mode !== 'last') return behind;
  return cursor.masked ? `g.masked AND (${behind})` : `(g.masked OR ${behind})`;
};

export const rankedConfigurations = async (
  tx: Tx,
  query: LeaderboardQuery,
  cursor: LeaderboardCursor | undefined,
): Promise<readonly Ranked[]> => {
  const conditions = scoreConditions(query);
  const values = [...conditions.values];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const shown = [
    ...(query.masked === 'hide' ? ['NOT g.masked'] : []),
    ...(cursor ? [after(query.masked, cursor, parameter)] : []),
  ];
  return tx.query<Ranked>(
    `SELECT g.* FROM (
       SELECT min(t.id) AS trial_id, s.position, (array_agg(s.stage_id ORDER BY t.id))[1] AS stage_id, bool_or(s.masked) AS masked,
         CASE WHEN count(s.merit) = count(*) THEN avg(s.merit ORDER BY t.id) END AS merit,
         array_agg(t.seed ORDER BY t.seed) AS seeds, stddev_samp(s.merit) AS deviation, avg(t.clean_accuracy) AS clean_accuracy
       FROM scores s JOIN trials t ON t.id = s.trial_id WHERE ${conditions.sql}
       GROUP BY t.sweep_id, t.configuration, s.position
     ) AS g
     ${shown.length > 0 ? `WHERE ${shown.join(' AND ')}` : ''}
     ORDER BY ${query.masked === 'last' ? 'g.masked, ' : ''}g.merit DESC NULLS LAST, g.trial_id, g.position LIMIT ${parameter(query.limit + 1)}`,
    values,
  );
};
