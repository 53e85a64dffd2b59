/** What a ranking does not show by itself: the trials that it leaves out, and the runs that other attacks rank first. */
import { type LeaderboardPage, type LeaderboardQuery, usualMetric } from '@funnel/contracts';
import { float8, int2, int8, orNull } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { compareRows } from './compare-rows.ts';
import { evaluationsOfTrials } from './evaluations.ts';
import { intervalsOf, readEvidence } from './evidence.ts';
import { findRanked, type RankedRow, rankedValue } from './ranking.ts';
import { readTrialCounts } from './sweeps.ts';
import { findTellsApart } from './tells-apart.ts';

/** An index has the scores of a sweep by attack, and `sweep_counts` its trials, so each sweep costs two look-ups. */
const sweepsWithout = `
  SELECT count(*) AS sweeps, coalesce(sum(c.trials), 0)::bigint AS trials
  FROM (SELECT id FROM sweeps ORDER BY created_at DESC, id DESC LIMIT 1000) AS w
  CROSS JOIN LATERAL (SELECT sum(k.count) AS trials FROM sweep_counts k WHERE k.sweep_id = w.id AND k.subject = 'trial:completed') AS c
  WHERE c.trials > 0 AND NOT EXISTS (SELECT FROM scores s WHERE s.sweep_id = w.id AND s.attack = $1 AND s.metric = $2)
    AND ($3::text IS NULL OR EXISTS (
      SELECT FROM sweep_hyperparameters h WHERE h.sweep_id = w.id AND h.hyperparameter = 'dataset' AND h.word = $3))`;

/** Undefined where no trial is left out, and where filters would make the count wrong. */
const countNotShown = async (
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

/** The scores of a trial, or of its configuration. */
const scoresOf = {
  trial: 'SELECT s.utility, s.ordinal FROM scores s',
  configuration: `SELECT c.utility, s.ordinal FROM scores s
    JOIN configuration_scores c USING (sweep_id, configuration_index, ordinal, metric)`,
} satisfies Record<LeaderboardQuery['group'], string>;

type Grouped = Pick<LeaderboardQuery, 'metric' | 'group'>;

/**
 * The place of a trial in the ranking of `row`: by the same attack with the same settings, or in the worst case. The ordinal may be another one, because
 * trials of other recipes have other stages. Undefined if the trial does not rank there.
 */
const placeOf = async (
  tx: Tx,
  trialId: string,
  { ordinal, attack, settings }: RankedRow,
  { metric, group }: Grouped,
): Promise<Pick<RankedRow, 'utility' | 'ordinal'> | undefined> => {
  const [place] = await tx.query(
    { utility: orNull(float8()), ordinal: int2() },
    `${scoresOf[group]} JOIN evaluations e ON e.stage_id = s.stage_id
     WHERE s.trial_id = $1 AND s.metric = $2 AND s.attack = $3 AND ($3 = '' OR e.settings = $4::jsonb)`,
    [trialId, metric, ordinal === -1 ? '' : attack, JSON.stringify(settings)],
  );
  return place;
};

/** Whether another attack truly ranks `top` above `best`: its value is better there, and its letters tell the two apart. */
const isBetter = async (
  tx: Tx,
  top: RankedRow,
  best: RankedRow,
  { metric, group }: Grouped,
): Promise<boolean> => {
  const own = await placeOf(tx, best.trial_id, top, { metric, group });
  if (!own || own.utility === null || top.utility === null || top.utility <= own.utility) return false;
  const rows = [top, { ...top, trial_id: best.trial_id, ...own }];
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
 * A run that ties with the best run here is no other best. Other sweeps may have attacked with other settings. Undefined where all agree.
 */
const findOtherBest = async (
  tx: Tx,
  query: LeaderboardQuery,
  best: RankedRow | undefined,
): Promise<LeaderboardPage['otherBest']> => {
  if (!best || best.utility === null) return undefined;
  const runs = (await evaluationsOfTrials(tx, [best.trial_id])).get(best.trial_id) ?? [];
  const others = [...new Map(runs.map((run) => [run.attack, run])).values()].filter(
    ({ attack }) => attack !== query.attack && runs.length > 1,
  );
  const tiesHere = async (top: RankedRow): Promise<boolean> =>
    (await placeOf(tx, top.trial_id, best, query))?.utility === best.utility;
  const found: NonNullable<LeaderboardPage['otherBest']> = [];
  for (const run of others.slice(0, maxOthers)) {
    const ranking = { attack: run.attack, metric: usualMetric(run) };
    const asked = { ...query, ...ranking, sweep: best.sweep_id, limit: 1 };
    const [top] = (await findRanked(tx, asked, undefined)).rows;
    if (!top || top.trial_id === best.trial_id || (await tiesHere(top))) continue;
    if (await isBetter(tx, top, best, asked)) found.push({ ...ranking, trialId: top.trial_id });
  }
  return found.length > 0 ? found : undefined;
};

/** How many trials of this sweep have all of their results, where not all have them. Undefined for a ranking over several sweeps. */
const findMissing = async (
  tx: Tx,
  { sweep }: Pick<LeaderboardQuery, 'sweep'>,
): Promise<LeaderboardPage['missing']> => {
  if (sweep === undefined) return undefined;
  const counts = await readTrialCounts(tx, sweep);
  return counts && counts.measured < counts.trials ? counts : undefined;
};

/** What the first page of a ranking says beside its rows. */
export const readNotes = async (
  tx: Tx,
  query: LeaderboardQuery,
  rows: readonly RankedRow[],
): Promise<Omit<LeaderboardPage, 'items' | 'next'>> => {
  const [notShown, otherBest, tellsApart, missing] = await Promise.all([
    countNotShown(tx, query),
    findOtherBest(tx, query, rows[0]),
    findTellsApart(tx, query, rows),
    findMissing(tx, query),
  ]);
  return {
    ...(notShown && { notShown }),
    ...(otherBest && { otherBest }),
    ...(tellsApart && { tellsApart }),
    ...(missing && { missing }),
  };
};
