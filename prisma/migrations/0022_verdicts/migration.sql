-- Trials that are untrained, or whose attacks had too few images, rank below all others, as masked trials did.
ALTER TABLE "scores" RENAME COLUMN "masked" TO "below";
ALTER TABLE "configuration_scores" RENAME COLUMN "masked" TO "below";

-- The rule of `trial-verdict.ts` in the contracts, for the trials that exist: the lower end of the Wilson interval of the clean accuracy reaches
-- 1.5 times that of guesses; or fewer than 20 images were attacked. Built-in data sets have ten classes.
WITH "counted" AS (
  SELECT t."id", t."verdict", max((e."summary" ->> 'attempted')::int) AS "attempted", max((e."summary" ->> 'images')::int) AS "images",
    t."clean_accuracy" * max((w."definition" #>> '{dataset,test}')::int) AS "correct", max((w."definition" #>> '{dataset,test}')::int) AS "test",
    max(coalesce(jsonb_array_length(w."definition" #> '{dataset,content,classes}'), 10)) AS "classes"
  FROM "trials" t JOIN "sweeps" w ON w."id" = t."sweep_id"
  JOIN "trial_stages" ts ON ts."trial_id" = t."id" JOIN "evaluations" e ON e."stage_id" = ts."stage_id"
  GROUP BY t."id"
), "clean" AS (
  SELECT c.*, CASE WHEN "correct" IS NULL OR "test" IS NULL THEN "images" ELSE "test" END::float8 AS "n",
    CASE WHEN "correct" IS NULL OR "test" IS NULL THEN "attempted" ELSE round("correct") END::float8 AS "k"
  FROM "counted" c
), "judged" AS (
  SELECT "id", CASE
    WHEN "n" = 0 OR "k" = 0 OR ("k" + 1.9207294103529 - 1.959963984540054 * sqrt("k" * ("n" - "k") / "n" + 0.96036470517645)) / ("n" + 3.8414588207058) <= 1.5 / "classes" THEN 'untrained'
    WHEN "verdict" = 'masked' THEN 'masked'
    WHEN "attempted" < 20 THEN 'too-few'
    ELSE "verdict" END AS "verdict"
  FROM "clean"
)
UPDATE "trials" t SET "verdict" = j."verdict" FROM "judged" j WHERE t."id" = j."id" AND t."verdict" IS DISTINCT FROM j."verdict";

UPDATE "scores" s SET "below" = true FROM "trials" t WHERE t."id" = s."trial_id" AND t."verdict" IN ('too-few', 'untrained') AND NOT s."below";
UPDATE "configuration_scores" c SET "below" = true
FROM (SELECT DISTINCT "sweep_id", "configuration_index" FROM "trials" WHERE "verdict" IN ('too-few', 'untrained')) AS t
WHERE c."sweep_id" = t."sweep_id" AND c."configuration_index" = t."configuration_index" AND NOT c."below";
