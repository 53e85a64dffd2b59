/** The attacks that are as strong as the one that a row of the worst case names. */
import type { AttackName, EvaluationMetricName } from '@funnel/contracts';
import { float8, int4, orNull } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { reachesOf } from '../scores/worst-cases.ts';
import { attackStages } from './compare-rows.ts';
import type { RankedRow } from './ranking.ts';

/** $1–$4: as in `compare-rows.ts`. How many images each attack fooled within the radii. */
const fooledOfStages = `
  SELECT (r.place - 1)::int AS place, (
    SELECT count(*) FROM unnest(e.success, e.l2, e.linf) AS x (success, l2, linf)
    WHERE x.success AND coalesce(r.counts_fully OR x.l2 <= r.l2 OR x.linf <= r.linf, false))::float8 AS strength
  FROM unnest($1::text[], $2::boolean[], $3::float8[], $4::float8[]) WITH ORDINALITY AS r (stage_id, counts_fully, l2, linf, place)
  JOIN evaluations e ON e.stage_id = r.stage_id ORDER BY r.place`;

/** $1, $2: trials and their attack stages; $3: the metric. */
const valuesOfStages = `
  SELECT (r.place - 1)::int AS place, -s.utility AS strength
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS r (trial_id, stage_id, place)
  JOIN scores s ON s.trial_id = r.trial_id AND s.stage_id = r.stage_id AND s.ordinal >= 0 AND s.metric = $3 ORDER BY r.place`;

const strengthColumns = { place: int4(), strength: orNull(float8()) };

type Row = Pick<RankedRow, 'trial_id' | 'stage_id' | 'ordinal'>;

/**
 * For each row of the worst case, the other attacks that are as strong: they fooled as many images within the balls, or have the same value of a metric
 * that counts no images. In the order of the trial's attacks.
 */
export const tiedAttacks = async (
  tx: Tx,
  rows: readonly Row[],
  metric: EvaluationMetricName,
): Promise<readonly (readonly AttackName[])[]> => {
  const trialIds = rows.filter(({ ordinal }) => ordinal === -1).map(({ trial_id }) => trial_id);
  const stages = await attackStages(tx, trialIds);
  const all = [...stages].flatMap(([trial, own]) => {
    const reaches = reachesOf(own);
    return own.map((stage, i) => ({ trial, ...stage, ...reaches[i]! }));
  });
  if (all.length === 0) return rows.map(() => []);
  const ids = all.map(({ stage_id }) => stage_id);
  const found =
    metric === 'robustAccuracy' || metric === 'successRate'
      ? await tx.query(strengthColumns, fooledOfStages, [
          ids,
          ...[
            all.map(({ countsFully }) => countsFully),
            all.map(({ l2 }) => l2),
            all.map(({ linf }) => linf),
          ],
        ])
      : await tx.query(strengthColumns, valuesOfStages, [all.map(({ trial }) => trial), ids, metric]);
  const strengths = new Map(
    found.map(({ place, strength }) => [`${all[place]!.trial} ${ids[place]}`, strength]),
  );
  return rows.map(({ trial_id, stage_id, ordinal }) => {
    const strongest = strengths.get(`${trial_id} ${stage_id}`);
    if (ordinal !== -1 || strongest === undefined || strongest === null) return [];
    return stages
      .get(trial_id)!
      .filter(
        (other) =>
          other.stage_id !== stage_id && strengths.get(`${trial_id} ${other.stage_id}`) === strongest,
      )
      .map(({ attack }) => attack);
  });
};
