-- Every result is measured in all norms, but an attack looks for small changes in one norm only. So the median of a worst case in a norm in which
-- no attack of the trial works says nothing. It was stored; here it becomes missing, in scores and averages. No metric counts changed pixels, so a
-- trial whose attacks do nothing else keeps its median L2.
WITH norms AS MATERIALIZED (
  SELECT s."trial_id", bool_or(n."linf") AS "linf", bool_or(NOT n."linf" AND NOT n."l0") AS "l2"
  FROM "scores" s CROSS JOIN LATERAL (
    SELECT s."attack" LIKE '%-linf' OR s."attack" IN ('fgsm', 'iterative-gradient-sign', 'bim') AS "linf",
      s."attack" IN ('single-pixel', 'local-search') AS "l0"
  ) AS n
  WHERE s."ordinal" >= 0 AND s."metric" = 'medianL2' GROUP BY 1
)
UPDATE "scores" w SET "value" = NULL, "utility" = NULL FROM norms n
WHERE n."trial_id" = w."trial_id" AND w."ordinal" = -1 AND w."value" IS NOT NULL AND (
  (w."metric" = 'medianL2' AND n."linf" AND NOT n."l2") OR (w."metric" = 'medianLinf' AND NOT n."linf")
);

-- A configuration has no value if one of its seeds has none.
UPDATE "configuration_scores" c SET "utility" = NULL, "deviation" = n."deviation"
FROM (
  SELECT "sweep_id", "configuration_index", "metric", stddev_samp("utility" ORDER BY "trial_id") AS "deviation"
  FROM "scores" WHERE "ordinal" = -1 AND "metric" IN ('medianL2', 'medianLinf') GROUP BY 1, 2, 3 HAVING count("utility") < count(*)
) AS n
WHERE c."sweep_id" = n."sweep_id" AND c."configuration_index" = n."configuration_index" AND c."ordinal" = -1 AND c."metric" = n."metric"
  AND (c."utility", c."deviation") IS DISTINCT FROM (NULL::float8, n."deviation");
