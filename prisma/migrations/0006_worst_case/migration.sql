-- The worst case over the attacks of a trial counts what lies inside the balls that its bounded attacks are held to: an attack that looks
-- for the smallest change finds something for nearly every image, at some distance. Scores that were there are brought up to date: the
-- attacks with a fixed ε and their norms are those of this schema's time.

-- AlterTable
ALTER TABLE "evaluations" DROP COLUMN "fooled";

CREATE TEMPORARY TABLE "scored_attacks" ON COMMIT DROP AS
WITH "fixed" ("attack", "norm") AS (VALUES
  ('fgsm', 'linf'), ('bim', 'linf'), ('pgd-linf', 'linf'), ('apgd-ce-linf', 'linf'), ('apgd-t-linf', 'linf'), ('square-linf', 'linf'),
  ('feature-linf', 'linf'), ('transfer-linf', 'linf'), ('noise-linf', 'linf'),
  ('bim-l2', 'l2'), ('pgd-l2', 'l2'), ('apgd-ce-l2', 'l2'), ('apgd-t-l2', 'l2'), ('square-l2', 'l2'),
  ('feature-l2', 'l2'), ('transfer-l2', 'l2'), ('noise-l2', 'l2'))
SELECT ts."trial_id", ts."position", e."stage_id", (e."summary" ->> 'attempted')::int AS "attempted", (e."summary" ->> 'images')::int AS "images",
  f."norm", CASE WHEN f."norm" IS NOT NULL THEN (e."settings" ->> 'epsilon')::float8 END AS "epsilon"
FROM "trial_stages" ts JOIN "evaluations" e ON e."stage_id" = ts."stage_id"
LEFT JOIN "fixed" f ON f."attack" = e."attack" AND (e."settings" -> 'search') IS DISTINCT FROM 'true'::jsonb
WHERE EXISTS (SELECT FROM "scores" w WHERE w."trial_id" = ts."trial_id" AND w."position" = -1);

-- Trials with the same evaluations share the answer; the worst case over one attack is that attack. Reach: ε, and what float32 rounds.
CREATE TEMPORARY TABLE "worst_cases" ON COMMIT DROP AS
WITH "lists" AS (
  SELECT "trial_id", array_agg("stage_id" ORDER BY "position") AS "stages", array_agg("epsilon" IS NOT NULL ORDER BY "position") AS "bounded",
    max("attempted") AS "attempted", max("images") AS "images",
    max("epsilon") FILTER (WHERE "norm" = 'l2') AS "l2", max("epsilon") FILTER (WHERE "norm" = 'linf') AS "linf"
  FROM "scored_attacks" GROUP BY 1 HAVING count(*) > 1
), "sets" AS (
  SELECT "stages", "bounded", "attempted", "images", "l2" + greatest(1e-6, 1e-5 * "l2") AS "l2", "linf" + greatest(1e-6, 1e-5 * "linf") AS "linf",
    array_agg("trial_id") AS "trials"
  FROM "lists" GROUP BY 1, 2, 3, 4, "lists"."l2", "lists"."linf"
)
SELECT s."trials", s."attempted", s."images", o.*
FROM "sets" s CROSS JOIN LATERAL (
  WITH "found" AS MATERIALIZED (
    SELECT a."stage_id", i."n", i."l2", i."linf",
      coalesce(a."bounded" OR s."l2" IS NULL AND s."linf" IS NULL OR i."l2" <= s."l2" OR i."linf" <= s."linf", false) AS "inside"
    FROM unnest(s."stages", s."bounded") AS a ("stage_id", "bounded") JOIN "evaluations" e USING ("stage_id")
    CROSS JOIN LATERAL unnest(e."success", e."l2", e."linf") WITH ORDINALITY AS i ("success", "l2", "linf", "n")
    WHERE i."success"
  ), "nearest" AS (
    SELECT min("l2") AS "l2", min("linf") AS "linf", bool_or("inside") AS "inside" FROM "found" GROUP BY "n"
  )
  SELECT (SELECT coalesce(jsonb_object_agg("stage_id", "fooled"), '{}') FROM (
      SELECT "stage_id", count(*) FILTER (WHERE "inside") AS "fooled" FROM "found" GROUP BY 1) AS "each") AS "strength",
    count(*) FILTER (WHERE "inside") AS "fooled", array_agg("l2" ORDER BY "l2") AS "l2", array_agg("linf" ORDER BY "linf") AS "linf"
  FROM "nearest"
) AS o;

UPDATE "scores" w SET "stage_id" = n."stage_id", "value" = n."value", "merit" = n."value" * n."sign"
FROM (
  SELECT DISTINCT ON (s."trial_id", s."metric") s."trial_id", s."metric", s."stage_id", v."value", v."sign"
  FROM "worst_cases" c CROSS JOIN LATERAL unnest(c."trials") AS t ("trial_id")
  JOIN "scores" s ON s."trial_id" = t."trial_id" AND s."position" >= 0
  CROSS JOIN LATERAL (
    SELECT CASE s."metric"
      WHEN 'robustAccuracy' THEN (c."attempted" - c."fooled")::float8 / nullif(c."images", 0)
      WHEN 'successRate' THEN coalesce(c."fooled"::float8 / nullif(c."attempted", 0), 0)
      WHEN 'medianL2' THEN (c."l2"[(c."attempted" + 1) / 2] + c."l2"[c."attempted" / 2 + 1]) / 2
      WHEN 'medianLinf' THEN (c."linf"[(c."attempted" + 1) / 2] + c."linf"[c."attempted" / 2 + 1]) / 2
    END AS "value", CASE s."metric" WHEN 'successRate' THEN -1 ELSE 1 END AS "sign"
  ) AS v
  WHERE s."metric" IN ('robustAccuracy', 'successRate', 'medianL2', 'medianLinf')
  ORDER BY s."trial_id", s."metric",
    CASE WHEN s."metric" IN ('robustAccuracy', 'successRate') THEN coalesce((c."strength" ->> s."stage_id")::int, 0) END DESC NULLS LAST,
    s."merit" NULLS LAST, s."position"
) AS n
WHERE w."trial_id" = n."trial_id" AND w."position" = -1 AND w."metric" = n."metric"
  AND (w."stage_id", w."value") IS DISTINCT FROM (n."stage_id", n."value");

UPDATE "configuration_scores" c SET "merit" = n."merit", "deviation" = n."deviation"
FROM (
  SELECT "sweep_id", "configuration_index", "metric",
    CASE WHEN count("merit") = count(*) THEN round(avg("merit" ORDER BY "trial_id")::numeric, 12)::float8 END AS "merit",
    stddev_samp("merit" ORDER BY "trial_id") AS "deviation"
  FROM "scores" WHERE "position" = -1 GROUP BY 1, 2, 3
) AS n
WHERE c."sweep_id" = n."sweep_id" AND c."configuration_index" = n."configuration_index" AND c."position" = -1 AND c."metric" = n."metric"
  AND (c."merit", c."deviation") IS DISTINCT FROM (n."merit", n."deviation");
