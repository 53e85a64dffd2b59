/** Which trials have images that only attacks without gradients fool (`missed-by-gradients.ts` of the contracts). */
import { contestsOf, missedText, reachOf } from '@funnel/contracts';
import { int4 } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { attackStages } from './compare-rows.ts';

const missedColumns = { contest: int4(), missed: int4(), images: int4() };

/** $1–$5: for each attack of a contest the contest, the stage, whether it follows no gradient, and the radius that counts in its norm. */
const missedImages = `
  WITH runs AS (
    SELECT * FROM unnest($1::int[], $2::text[], $3::boolean[], $4::float8[], $5::float8[]) AS r (contest, stage_id, is_free, l2, linf)
  ), fooled AS (
    SELECT r.contest, i.n, bool_or(r.is_free) AS by_free, bool_or(NOT r.is_free) AS by_gradient
    FROM runs r JOIN evaluations e USING (stage_id)
    CROSS JOIN LATERAL unnest(e.success, e.l2, e.linf) WITH ORDINALITY AS i (success, l2, linf, n)
    WHERE i.success AND coalesce(i.l2 <= r.l2 OR i.linf <= r.linf, false) GROUP BY 1, 2
  )
  SELECT f.contest, count(*)::int AS missed,
    (SELECT max((e.summary ->> 'images')::int) FROM runs r JOIN evaluations e USING (stage_id) WHERE r.contest = f.contest) AS images
  FROM fooled f WHERE f.by_free AND NOT f.by_gradient GROUP BY 1 ORDER BY 1`;

export const missedByGradients = async (
  tx: Tx,
  trialIds: readonly string[],
): Promise<readonly { readonly trial: string; readonly text: string }[]> => {
  const contests = [...(await attackStages(tx, trialIds))].flatMap(([trial, runs]) =>
    contestsOf(runs).map((contest) => ({ trial, runs, contest })),
  );
  if (contests.length === 0) return [];
  const rows = contests.flatMap(({ runs, contest: { ball, gradientFree, gradient } }, number) => {
    const reach = reachOf(ball.epsilon);
    const radii = { l2: ball.norm === 'l2' ? reach : null, linf: ball.norm === 'linf' ? reach : null };
    return [...gradientFree, ...gradient].map((place) => ({
      ...{ number, stage: runs[place]!.stage_id, isFree: gradientFree.includes(place), ...radii },
    }));
  });
  const found = await tx.query(missedColumns, missedImages, [
    ...[rows.map((row) => row.number), rows.map((row) => row.stage), rows.map((row) => row.isFree)],
    ...[rows.map((row) => row.l2), rows.map((row) => row.linf)],
  ]);
  return found.flatMap(({ contest: number, ...counts }) => {
    const { trial, runs, contest } = contests[number]!;
    const text = missedText(contest, runs, counts);
    return text === null ? [] : [{ trial, text }];
  });
};
