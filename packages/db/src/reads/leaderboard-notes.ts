/** What a ranking does not show by itself: the trials that it leaves out, and the runs that other attacks rank first. */
import { type LeaderboardPage, type LeaderboardQuery, usualMetric } from '@funnel/contracts';
import { float8, int8, orNull } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { compareRows } from './compare-rows.ts';
import { evaluationsOfTrials } from './evaluations.ts';
import { intervalsOf, readEvidence } from './evidence.ts';
import { findRanked, type RankedRow, rankedValue } from './ranking.ts';

/** An index has the scores of a sweep by attack, and `sweep_counts` its trials, so each sweep costs two look-ups. */
const sweepsWithout = `
  SELECT count(*) AS sweeps, coalesce(sum(c.trials), 0)::bigint AS trials
  FROM (SELECT id FROM sweeps ORDER BY created_at DESC, id DESC LIMIT 1000) AS w
  CROSS JOIN LATERAL (SELECT sum(k.count) AS trials FROM sweep_counts k WHERE k.sweep_id = w.id AND k.subject = 'trial:completed') AS c
  WHERE c.trials > 0 AND NOT EXISTS (SELECT FROM scores s WHERE s.sweep_id = w.id AND s.attack = $1 AND s.metric = $2)
    AND ($3::text IS NULL OR EXISTS (
      SELECT FROM sweep_hyperparameters h WHERE h.sweep_id = w.id AND h.hyperparameter = 'dataset' AND h.word = $3))`;

/** Undefined where no trial is left out, and where filters would make the count wrong. */
export const countNotShown = async (
  tx: Tx,
  { attack, metric, sweep, tag, dataset, recipe, where }: LeaderboardQuery,
): Promise<LeaderboardPage['notShown']> => {
  const isFiltered = [tag, recipe, where].some((filter) => filter.length > 0);
  if (attack === undefined || sweep !== undefined || isFiltered) return undefined;
  const [counts] = await tx.query({ sweeps: int8(), trials: int8() }, sweepsWithout, [
    attack,
    metric,
    dataset ?? null,
  ]);
  return counts && counts.trials > 0 ? counts : undefined;
};

/** The utility of a row: that of its trial, or of the configuration of its trial. */
const utilities = {
  trial: 'SELECT s.utility FROM scores s WHERE s.trial_id = $1 AND s.ordinal = $2 AND s.metric = $3',
  configuration: `SELECT c.utility FROM trials t JOIN configuration_scores c USING (sweep_id, configuration_index)
    WHERE t.id = $1 AND c.ordinal = $2 AND c.metric = $3`,
} satisfies Record<LeaderboardQuery['group'], string>;

/** Whether another attack truly ranks `top` above `best`: its value is better there, and its letters tell the two apart. */
const isBetter = async (
  tx: Tx,
  top: RankedRow,
  best: RankedRow,
  { metric, group }: Pick<LeaderboardQuery, 'metric' | 'group'>,
): Promise<boolean> => {
  const [own] = await tx.query({ utility: orNull(float8()) }, utilities[group], [
    best.trial_id,
    top.ordinal,
    metric,
  ]);
  if (!own || own.utility === null || top.utility === null || top.utility <= own.utility) return false;
  const rows = [top, { ...top, trial_id: best.trial_id, utility: own.utility }];
  const evidence = await readEvidence(tx, rows, { metric, allSeeds: group === 'configuration' });
  const measured = rows.map(({ utility }, i) => ({
    value: rankedValue(utility, metric),
    seeds: evidence[i]!,
  }));
  const intervals = await intervalsOf(tx, measured, metric);
  const { attack, settings } = top;
  const compared = evidence.map((seeds, i) => ({ attack, settings, seeds, interval: intervals[i]! }));
  const [first, second] = await compareRows(tx, compared, metric);
  return first !== undefined && first !== second;
};

/** More other attacks than these would cost more than the page. */
const maxOthers = 4;

/**
 * The best runs of the sweep of the best run by its other attacks, where they are other runs, and better than the best run by more than chance.
 * Other sweeps may have attacked with other settings. Undefined where all agree.
 */
export const findOtherBest = async (
  tx: Tx,
  query: LeaderboardQuery,
  best: RankedRow | undefined,
): Promise<LeaderboardPage['otherBest']> => {
  if (!best || best.utility === null) return undefined;
  const runs = (await evaluationsOfTrials(tx, [best.trial_id])).get(best.trial_id) ?? [];
  const others = [...new Map(runs.map((run) => [run.attack, run])).values()].filter(
    ({ attack }) => attack !== query.attack && runs.length > 1,
  );
  const found: NonNullable<LeaderboardPage['otherBest']> = [];
  for (const run of others.slice(0, maxOthers)) {
    const ranking = { attack: run.attack, metric: usualMetric(run) };
    const asked = { ...query, ...ranking, sweep: best.sweep_id, limit: 1 };
    const [top] = (await findRanked(tx, asked, undefined)).rows;
    if (top && top.trial_id !== best.trial_id && (await isBetter(tx, top, best, asked)))
      found.push({ ...ranking, trialId: top.trial_id });
  }
  return found.length > 0 ? found : undefined;
};
