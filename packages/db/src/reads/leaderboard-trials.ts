import type { LeaderboardQuery } from '@funnel/contracts';
import type { Tx } from '../transaction.ts';
import type { Parameter } from './knob-filters.ts';
import type { LeaderboardCursor } from './leaderboard-cursor.ts';
import { parameters, scoreConditions } from './leaderboard-filters.ts';
import type { Ranked } from './ranked.ts';

/** Rows that rank after the cursor's among those that are masked or not alike. */
const behind = ({ merit, trial, position }: LeaderboardCursor, p: Parameter): string => {
  const key = `(s.trial_id, s.position) > (${p(trial)}, ${p(position)})`;
  if (merit === null) return `(s.merit IS NULL AND ${key})`;
  const value = p(merit);
  return `(s.merit IS NULL OR s.merit < ${value} OR (s.merit = ${value} AND ${key}))`;
};

const order = 'merit DESC NULLS LAST, trial_id, position';

/** The walks through the index that a ranking consists of: which rows, and in which order. Every order is the index's own. */
const walksOf = (mode: LeaderboardQuery['masked'], cursor: LeaderboardCursor | undefined, p: Parameter) => {
  const rest = cursor ? behind(cursor, p) : 'true';
  if (mode === 'hide') return [{ rows: `NOT s.masked AND ${rest}`, order }];
  if (mode === 'equal')
    return ['NOT s.masked', 's.masked'].map((side) => ({ rows: `${side} AND ${rest}`, order }));
  const rows = !cursor ? 'true' : cursor.masked ? `s.masked AND ${rest}` : `(s.masked OR ${rest})`;
  return [{ rows, order: `masked, ${order}` }];
};

/**
 * The place of each row is in the index, and so is all that the filters ask: one ordered walk that ends when the page is full. Masked
 * rows come after all others in that order; where they rank among them, two walks are merged.
 */
export const rankedTrials = async (
  tx: Tx,
  query: LeaderboardQuery,
  cursor: LeaderboardCursor | undefined,
): Promise<readonly Ranked[]> => {
  const { values, parameter } = parameters();
  const limit = parameter(query.limit + 1);
  const conditions = scoreConditions(query, parameter);
  const walks = walksOf(query.masked, cursor, parameter).map(
    (walk) => `(SELECT s.trial_id, s.position, s.metric, s.masked, s.merit FROM scores s
      WHERE ${conditions} AND ${walk.rows} ORDER BY ${walk.order} LIMIT ${limit})`,
  );
  const place = query.masked === 'last' ? `masked, ${order}` : order;
  return tx.query<Ranked>(
    `WITH r AS (SELECT * FROM (${walks.join(' UNION ALL ')}) AS walks ORDER BY ${place} LIMIT ${limit})
     SELECT r.trial_id, o.stage_id, r.position, r.masked, r.merit, ARRAY[t.seed] AS seeds, NULL::float8 AS deviation, t.clean_accuracy
     FROM r
     JOIN scores o USING (trial_id, position, metric)
     JOIN trials t ON t.id = r.trial_id
     ORDER BY ${place.replace(/\b(masked|merit)\b/g, 'r.$1')}`,
    values,
  );
};
