-- A median distance is infinite when at least half of the attacked images withstand: the best value there is. It was stored as missing, like
-- that of a run of which nothing was attacked. Here it becomes infinite in summaries, scores and averages. A missing median of a run of
-- which nothing was attacked stays missing.

-- From the records of every image: found at most half as often as attacked. JSON has no infinity, so it is a text there.
UPDATE "evaluations" e SET "summary" = e."summary" || n."medians"
FROM (
  SELECT e."stage_id", jsonb_object_agg(m."name", 'Infinity'::text) AS "medians"
  FROM "evaluations" e CROSS JOIN (VALUES ('medianL2'), ('medianLinf'), ('medianL0')) AS m ("name")
  WHERE e."summary" -> m."name" = 'null' AND true = ANY (e."correct")
    AND 2 * CASE m."name"
      WHEN 'medianL2' THEN cardinality(array_remove(e."l2", NULL))
      WHEN 'medianLinf' THEN cardinality(array_remove(e."linf", NULL))
      ELSE cardinality(array_remove(e."l0", NULL))
    END <= cardinality(array_remove(e."correct", false))
  GROUP BY 1
) AS n
WHERE e."stage_id" = n."stage_id";

-- Of both metrics more is better: value and merit are the same.
UPDATE "scores" s SET "value" = 'Infinity', "merit" = 'Infinity'
FROM "evaluations" e
WHERE e."stage_id" = s."stage_id" AND s."position" >= 0 AND s."value" IS NULL AND s."metric" IN ('medianL2', 'medianLinf')
  AND e."summary" ->> s."metric" = 'Infinity';

-- The worst case over several attacks was computed from their records: it was missing where it was infinite, or nothing was attacked. Over one
-- attack it is that attack's. The strongest attack is the one with the least median; a missing one is not less than any.
UPDATE "scores" w SET "stage_id" = n."stage_id", "value" = v."value", "merit" = v."value"
FROM (
  SELECT DISTINCT ON (s."trial_id", s."metric") s."trial_id", s."metric", s."stage_id", s."value",
    count(*) OVER "of_trial" AS "attacks", max((e."summary" ->> 'attempted')::int) OVER "of_trial" AS "attempted"
  FROM (
    SELECT "trial_id", "metric" FROM "scores" WHERE "position" >= 0 AND "value" = 'Infinity'
    UNION SELECT "trial_id", "metric" FROM "scores" WHERE "position" = -1 AND "value" IS NULL AND "metric" IN ('medianL2', 'medianLinf')
  ) AS c
  JOIN "scores" s USING ("trial_id", "metric") JOIN "evaluations" e ON e."stage_id" = s."stage_id"
  WHERE s."position" >= 0
  WINDOW "of_trial" AS (PARTITION BY s."trial_id", s."metric")
  ORDER BY s."trial_id", s."metric", s."merit" NULLS LAST, s."position"
) AS n
JOIN "scores" o ON o."trial_id" = n."trial_id" AND o."metric" = n."metric" AND o."position" = -1
CROSS JOIN LATERAL (
  SELECT CASE WHEN n."attacks" = 1 THEN n."value" WHEN o."value" IS NULL AND n."attempted" > 0 THEN 'Infinity' ELSE o."value" END AS "value"
) AS v
WHERE w."trial_id" = o."trial_id" AND w."metric" = o."metric" AND w."position" = -1
  AND (w."stage_id", w."value") IS DISTINCT FROM (n."stage_id", v."value");

-- Of a configuration with an infinite seed, the median over its seeds; with a missing one it stays missing.
UPDATE "configuration_scores" c SET "merit" = n."merit", "deviation" = NULL
FROM (
  SELECT "sweep_id", "configuration_index", "position", "metric",
    CASE WHEN count("merit") = count(*) THEN
      ((array_agg("merit" ORDER BY "merit"))[(count(*) + 1) / 2] + (array_agg("merit" ORDER BY "merit"))[count(*) / 2 + 1]) / 2 END AS "merit"
  FROM "scores" WHERE "metric" IN ('medianL2', 'medianLinf') GROUP BY 1, 2, 3, 4 HAVING bool_or("merit" = 'Infinity')
) AS n
WHERE c."sweep_id" = n."sweep_id" AND c."configuration_index" = n."configuration_index" AND c."position" = n."position" AND c."metric" = n."metric"
  AND (c."merit", c."deviation") IS DISTINCT FROM (n."merit", NULL::float8);
