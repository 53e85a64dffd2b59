import type { LeaderboardQuery } from '@funnel/contracts';
import type { Tx } from '../transaction.ts';
import type { LeaderboardCursor } from './leaderboard-cursor.ts';
import { type Segment, scoreConditions, segmentsOf } from './leaderboard-filters.ts';
import type { Ranked } from './ranked.ts';

/** After the cursor: in a group before the cursor's nothing, in its own what follows it, in a later one everything. */
const after = (
  segment: Segment,
  mode: LeaderboardQuery['masked'],
  cursor: LeaderboardCursor,
  p: (value: unknown) => string,
): string | null => {
  const missing = cursor.merit === null;
  const key = () => `(s.trial_id, s.position) > (${p(cursor.trial)}, ${p(cursor.position)})`;
  const splits = mode === 'last';
  if (splits && segment.masked !== cursor.masked) return segment.masked ? 'true' : null;
  if (segment.missing !== missing) return segment.missing ? 'true' : null;
  if (missing) return key();
  const merit = p(cursor.merit);
  return `s.merit <= ${merit} AND (s.merit < ${merit} OR ${key()})`;
};

const order = (mode: LeaderboardQuery['masked'], table: string): string =>
  `${mode === 'last' ? `${table}.masked, ` : ''}${table}.merit DESC NULLS LAST, ${table}.trial_id, ${table}.position`;

/** One row more than `limit`, if there is one. */
export const rankedTrials = async (
  tx: Tx,
  query: LeaderboardQuery,
  cursor: LeaderboardCursor | undefined,
): Promise<readonly Ranked[]> => {
  const conditions = scoreConditions(query);
  const values = [...conditions.values];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const limit = parameter(query.limit + 1);
  const scans = segmentsOf(query.masked).flatMap((segment) => {
    const rest = cursor ? after(segment, query.masked, cursor, parameter) : 'true';
    if (rest === null) return [];
    return `(SELECT s.trial_id, s.stage_id, s.position, s.masked, s.merit, t.seed, t.clean_accuracy FROM scores s JOIN trials t ON t.id = s.trial_id
      WHERE ${conditions.sql} AND s.masked = ${segment.masked} AND s.merit IS ${segment.missing ? '' : 'NOT '}NULL AND ${rest}
      ORDER BY s.merit DESC NULLS LAST, s.trial_id, s.position LIMIT ${limit})`;
  });
  if (scans.length === 0) return [];
  return tx.query<Ranked>(
    `SELECT r.trial_id, r.stage_id, r.position, r.masked, r.merit, ARRAY[r.seed] AS seeds,
       NULL::float8 AS deviation, r.clean_accuracy
     FROM (${scans.join(' UNION ALL ')}) AS r ORDER BY ${order(query.masked, 'r')} LIMIT ${limit}`,
    values,
  );
};
