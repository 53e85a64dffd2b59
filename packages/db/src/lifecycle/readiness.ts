/**
 * When a stage has what it needs. Its `after` must have completed. Of its surrogates (stages whose classifiers a transfer attack makes
 * its images on) each must have ended in a result; a divergence or a collapse is one that would come again, so it is left out, always,
 * and at least one must be usable. One that failed or was cancelled is no result: it counts like an `after` that did.
 */

/** A stage `g` with a result without networks: its own, or that of what it needed. */
const unusable = (g: string) => `coalesce(${g}.skip_cause, ${g}.status) IN ('diverged', 'collapsed')`;

/** SQL: stage `s` waits for a surrogate among the ids `values`. Written so that it finds the partial index. */
export const waitsForSurrogate = (s: string, values: string) =>
  `(${s}.status = 'waiting' AND ${s}.surrogates <> '{}' AND ${s}.surrogates && ${values}::text[])`;

/** SQL: everything that stage `s` needs is there. */
export const isFree = (s: string) => `(
  (${s}.depends_on IS NULL OR EXISTS (SELECT FROM stages a WHERE a.id = ${s}.depends_on AND a.status = 'completed'))
  AND (${s}.surrogates = '{}' OR (
    SELECT bool_or(g.status = 'completed') AND bool_and(g.status = 'completed' OR ${unusable('g')})
    FROM stages g WHERE g.id = ANY(${s}.surrogates))))`;

/** SQL: all surrogates of stage `s` have ended, and none is usable. */
export const hasNoSurrogate = (s: string) => `(
  ${s}.surrogates <> '{}' AND (SELECT bool_and(${unusable('g')}) FROM stages g WHERE g.id = ANY(${s}.surrogates)))`;
