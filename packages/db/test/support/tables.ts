/** Reads tables directly, for values that no operation returns. */
import type { Db } from '../../src/index.ts';

export const query = async <Row = Record<string, unknown>>(
  db: Db,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> => (await db.pool.query(text, values)).rows as Row[];

/** Empties the outbox, like a relay. Resolves to the stages of its rows. */
export const takeOutbox = async (db: Db): Promise<string[]> => {
  const rows = await query<{ id: number; stage_id: string }>(db, 'DELETE FROM outbox RETURNING id, stage_id');
  return rows.sort((a, b) => a.id - b.id).map((row) => row.stage_id);
};

/** The number of direct stages of a sweep for each `kind:status`. */
export const stageCounts = async (db: Db, sweepId: string): Promise<Record<string, number>> => {
  const rows = await query<{ key: string; n: number }>(
    db,
    `SELECT s.kind || ':' || s.status AS key, count(*) AS n FROM sweep_stages l JOIN stages s ON s.id = l.stage_id
     WHERE l.sweep_id = $1 AND l.direct GROUP BY 1 ORDER BY 1`,
    [sweepId],
  );
  return Object.fromEntries(rows.map(({ key, n }) => [key, n]));
};

export const trialStatuses = async (db: Db, sweepId: string): Promise<string[]> =>
  (
    await query<{ status: string }>(db, 'SELECT status FROM trials WHERE sweep_id = $1 ORDER BY number', [
      sweepId,
    ])
  ).map((row) => row.status);

export const sweepStatus = async (db: Db, sweepId: string): Promise<string | undefined> =>
  (await query<{ status: string }>(db, 'SELECT status FROM sweeps WHERE id = $1', [sweepId]))[0]?.status;

/** The stored counts of every sweep, and the stored bytes of every client, that differ from those of the rows. */
export const wrongCounts = (db: Db): Promise<Record<string, unknown>[]> =>
  query(
    db,
    `WITH kept AS (
       SELECT sweep_id, subject, sum(count) AS n FROM sweep_counts WHERE subject NOT IN ('trained', 'trained-elsewhere', 'active', 'active:attack') GROUP BY 1, 2 HAVING sum(count) <> 0
       UNION ALL
       SELECT client, 'bytes', sum(bytes) FROM stored_bytes GROUP BY 1 HAVING sum(bytes) <> 0
     ), real AS (
       SELECT l.sweep_id, 'stage:' || s.kind || ':' || s.status AS subject, count(*) AS n
       FROM sweep_stages l JOIN stages s ON s.id = l.stage_id WHERE l.direct GROUP BY 1, 2
       UNION ALL
       SELECT sweep_id, 'trial:' || status, count(*) FROM trials GROUP BY 1, 2
       UNION ALL
       SELECT client, 'bytes', sum(octet_length(bytes)) FROM blobs WHERE client IS NOT NULL GROUP BY 1
     )
     SELECT sweep_id, subject, kept.n AS kept, real.n AS real FROM kept FULL JOIN real USING (sweep_id, subject)
     WHERE kept.n IS DISTINCT FROM real.n`,
  );

export const trained = async (db: Db, sweepId: string): Promise<number> => {
  const [row] = await query<{ n: number }>(
    db,
    `SELECT coalesce(sum(count), 0)::int AS n FROM sweep_counts WHERE sweep_id = $1 AND subject = 'trained'`,
    [sweepId],
  );
  return row!.n;
};

/**
 * The stored averages over seeds that differ from the scores. With an infinite value the average is the median, without interpolation,
 * because ∞ − ∞ has no value.
 */
export const wrongAverages = (db: Db): Promise<Record<string, unknown>[]> =>
  query(
    db,
    `WITH finite AS (
       SELECT sweep_id, configuration_index, ordinal, metric, min(attack) AS attack, min(trial_id) AS trial_id, bool_or(below) AS below,
         count(*) = count(utility) AS whole, count(*) FILTER (WHERE utility = 'Infinity') AS infinite,
         avg(utility) AS mean, sqrt(var_samp(nullif(utility, 'Infinity'))) AS deviation,
         percentile_disc(0.5) WITHIN GROUP (ORDER BY utility) AS lower, -percentile_disc(0.5) WITHIN GROUP (ORDER BY -utility) AS upper
       FROM scores GROUP BY 1, 2, 3, 4
     ), real AS (
       SELECT sweep_id, configuration_index, ordinal, metric, attack, trial_id, below, infinite, CASE WHEN infinite = 0 THEN deviation END AS deviation,
         CASE WHEN NOT whole THEN NULL WHEN infinite = 0 THEN mean ELSE lower / 2 + upper / 2 END AS utility
       FROM finite
     )
     SELECT * FROM configuration_scores k FULL JOIN real r USING (sweep_id, configuration_index, ordinal, metric)
     WHERE (k.attack, k.trial_id, k.below) IS DISTINCT FROM (r.attack, r.trial_id, r.below)
       OR (k.utility IS NULL) <> (r.utility IS NULL) OR (k.utility = 'Infinity') <> (r.utility = 'Infinity')
       OR (r.utility <> 'Infinity' AND abs(k.utility - r.utility) > 1e-9)
       OR (k.deviation IS NULL) <> (r.deviation IS NULL) OR abs(k.deviation - r.deviation) > 1e-9`,
  );
