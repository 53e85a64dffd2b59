/** Which configurations of a search may be its best: those at the highest rung that meet its constraints. The proposer has the same rules for units. */
import {
  type AttackSpec,
  criteriaOf,
  isDecided,
  isPromoting,
  isWorse,
  type StoredDefinition,
  trialVerdicts,
} from '@funnel/contracts';

/** A constraint as `isFeasible` reads it: `refused` verdicts, or else the bound of a mean over the seeds. An empty attack is the worst case. */
type Bound =
  | { readonly refused: readonly string[] }
  | {
      readonly attack: string;
      readonly metric: string;
      readonly operator: string;
      readonly bound: number;
      readonly run: AttackSpec | null;
    };

/** The columns that `isFeasible` reads of a sweep `k`. */
export const feasibleColumns = 'promotes boolean, bounds jsonb';

export const feasibilityOf = (
  definition: StoredDefinition,
): { readonly promotes: boolean; readonly bounds: readonly Bound[] } => {
  const { search } = definition;
  if (!isDecided(search)) return { promotes: false, bounds: [] };
  const bounds = criteriaOf(definition, search).constraints.map((constraint): Bound => {
    if (constraint.kind === 'verdict')
      return { refused: trialVerdicts.filter((verdict) => !isWorse(constraint.not, verdict)) };
    const { metric, operator, bound, run } = constraint;
    return { attack: run?.attack ?? '', metric, operator, bound, run: run ?? null };
  });
  return { promotes: isPromoting(search), bounds };
};

/** SQL: the mean of bound `q` over the seeds. The clean accuracy without an attack is that on all test images. */
const mean = `
  SELECT avg(CASE WHEN q.attack = '' AND q.metric = 'cleanAccuracy' THEN t.clean_accuracy ELSE (
    SELECT s.value FROM scores s LEFT JOIN stages a ON a.id = s.stage_id
    WHERE s.trial_id = t.id AND s.attack = q.attack AND s.metric = q.metric AND (q.run IS NULL OR q.run @> a.attack)
    ORDER BY a.attack = q.run DESC NULLS LAST, s.ordinal LIMIT 1) END)
  FROM trials t WHERE t.sweep_id = k.id AND t.configuration_index = c.configuration_index`;

/** SQL: the condition on configuration `c` of sweep `k`. A bound on a missing value does not hold. */
export const isFeasible = `
  NOT (k.promotes AND EXISTS (
    SELECT FROM decisions b WHERE b.sweep_id = k.id AND b.number = c.configuration_index AND b.below_top))
  AND NOT EXISTS (
    SELECT FROM jsonb_to_recordset(k.bounds) AS q (refused text[], attack text, metric text, operator text, bound float8, run jsonb)
    CROSS JOIN LATERAL (SELECT CASE WHEN q.refused IS NULL THEN (${mean}) END AS mean) AS m
    WHERE NOT coalesce(CASE
      WHEN q.refused IS NOT NULL THEN NOT EXISTS (
        SELECT FROM trials t WHERE t.sweep_id = k.id AND t.configuration_index = c.configuration_index AND t.verdict = ANY(q.refused))
      WHEN q.operator = '>=' THEN m.mean >= q.bound
      WHEN q.operator = '<=' THEN m.mean <= q.bound
      WHEN q.operator = '>' THEN m.mean > q.bound
      ELSE m.mean < q.bound END, false))`;
