-- An attack without a fixed ε fools nearly every image of every model, so a robust accuracy under it says nothing. Where nothing was attacked,
-- there is no success rate and no robust accuracy. Both were stored as 0; here they become missing, in summaries, scores and averages.

UPDATE "evaluations" SET "summary" = "summary" || '{"robustAccuracy": null, "robustInterval": null}'
WHERE "summary" -> 'robustAccuracy' <> 'null' AND (
  ("summary" ->> 'attempted')::int = 0 OR "settings" -> 'search' = 'true' OR "attack" NOT IN (
    'fgsm', 'bim', 'bim-l2', 'pgd-linf', 'pgd-l2', 'apgd-ce-linf', 'apgd-ce-l2', 'apgd-t-linf', 'apgd-t-l2', 'square-linf', 'square-l2',
    'feature-linf', 'feature-l2', 'transfer-linf', 'transfer-l2', 'noise-linf', 'noise-l2'
  )
);

UPDATE "evaluations" SET "summary" = "summary" || '{"successRate": null, "successInterval": null}'
WHERE "summary" -> 'successRate' <> 'null' AND ("summary" ->> 'attempted')::int = 0;

UPDATE "scores" s SET "value" = NULL, "utility" = NULL FROM "evaluations" e
WHERE e."stage_id" = s."stage_id" AND s."ordinal" >= 0 AND s."metric" IN ('robustAccuracy', 'successRate') AND s."value" IS NOT NULL
  AND e."summary" -> s."metric" = 'null';

-- All attacks of a trial attack the same images. So there is a worst case exactly if one of the attacks has a value.
UPDATE "scores" w SET "value" = NULL, "utility" = NULL
WHERE w."ordinal" = -1 AND w."metric" IN ('robustAccuracy', 'successRate') AND w."value" IS NOT NULL AND NOT EXISTS (
  SELECT FROM "scores" s WHERE s."trial_id" = w."trial_id" AND s."metric" = w."metric" AND s."ordinal" >= 0 AND s."value" IS NOT NULL
);

-- A configuration has no value if one of its seeds has none.
UPDATE "configuration_scores" c SET "utility" = NULL, "deviation" = n."deviation"
FROM (
  SELECT "sweep_id", "configuration_index", "ordinal", "metric", stddev_samp("utility" ORDER BY "trial_id") AS "deviation"
  FROM "scores" WHERE "metric" IN ('robustAccuracy', 'successRate') GROUP BY 1, 2, 3, 4 HAVING count("utility") < count(*)
) AS n
WHERE c."sweep_id" = n."sweep_id" AND c."configuration_index" = n."configuration_index" AND c."ordinal" = n."ordinal" AND c."metric" = n."metric"
  AND (c."utility", c."deviation") IS DISTINCT FROM (NULL::float8, n."deviation");
