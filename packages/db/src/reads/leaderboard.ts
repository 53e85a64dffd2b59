/** The leaderboard ranks runs by robustness. The cost of a page does not depend on its place in the ranking (`ranking.ts`). */
import {
  halfWidth,
  isBounded,
  type LeaderboardPage,
  type LeaderboardQuery,
  type LeaderboardRow,
  missedOfSeeds,
  worstTrialVerdict,
  writeExtended,
} from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';
import { assertDataset } from '../datasets/find-dataset.ts';
import { compareRows } from './compare-rows.ts';
import { threatModels } from './evaluations.ts';
import {
  cleanIntervalOf,
  countsOf,
  intervalsOf,
  readEvidence,
  type SeedEvidence,
  seedRangeOf,
} from './evidence.ts';
import {
  type LeaderboardCursor,
  type Ranked,
  ranksOf,
  readLeaderboardCursor,
  writeLeaderboardCursor,
} from './leaderboard-cursor.ts';
import { readNotes } from './leaderboard-notes.ts';
import { missedByGradients } from './missed-by-gradients.ts';
import { type ChangesOf, readChanges, rowKey } from './older-stages.ts';
import { findRanked, type RankedRow, rankedValue } from './ranking.ts';
import { robustOfRows } from './robust-at-epsilon.ts';
import { repeatsOf } from './same-stages.ts';
import { strongestAttacks } from './strongest-attacks.ts';
import { assertSweep } from './sweeps.ts';
import { reasonsOf, reasonsOfRow } from './verdict-reasons.ts';

type Rejections = { readonly rejectedClean: number; readonly rejectedAttacked: number };

/** The shares of images that a defence rejects, as the mean over the seeds; empty for a defence that rejects none. */
const rejectionsOf = (seeds: readonly SeedEvidence[]): Rejections | Record<never, never> => {
  const rejecting = seeds.flatMap(({ rejected_clean: clean, rejected_attacked: attacked }) =>
    clean === null || attacked === null ? [] : [{ clean, attacked }],
  );
  if (rejecting.length === 0) return {};
  const mean = (share: (seed: (typeof rejecting)[number]) => number): number =>
    rejecting.reduce((sum, seed) => sum + share(seed), 0) / rejecting.length;
  return { rejectedClean: mean(({ clean }) => clean), rejectedAttacked: mean(({ attacked }) => attacked) };
};

const cursorAfter = (
  { rung, below, utility, trial_id: trial, ordinal }: RankedRow,
  { rank, count }: Ranked,
  byRung: boolean,
): LeaderboardCursor => ({
  ...(byRung && rung !== null && { rung }),
  below,
  utility,
  trial,
  ordinal,
  rank,
  count,
});

/**
 * Best first. `LeaderboardRow` describes the rank of ties, missing values and runs that rank below. `changesOf`: compares stages with the present
 * version. (Default: the rows say nothing about versions) Errors: INVALID_REQUEST, NOT_FOUND (the sweep, the data set).
 */
export const leaderboard = async (
  db: Db,
  query: LeaderboardQuery,
  changesOf: ChangesOf = () => [],
): Promise<LeaderboardPage> => {
  const tx = reading(db);
  const { limit, metric } = query;
  const cursor = query.cursor === undefined ? undefined : readLeaderboardCursor(query.cursor);
  const { rows: found, byRung } = await findRanked(tx, query, cursor);
  if (found.length === 0 && query.sweep !== undefined) await assertSweep(db, query.sweep);
  if (found.length === 0 && query.dataset !== undefined) await assertDataset(db, query.dataset);
  const rows = found.slice(0, limit);
  const ranks = ranksOf(rows, cursor, { below: query.masked === 'last', rungs: byRung });
  const evidence = await readEvidence(tx, rows, { metric, allSeeds: query.group === 'configuration' });
  const page = rows.map((row, i) => ({
    row,
    seeds: evidence[i]!,
    value: rankedValue(row.utility, metric),
  }));
  const stageOf = (row: RankedRow) => ({ trialId: row.trial_id, stageId: row.stage_id });
  const comparisons = async () => {
    const intervals = await intervalsOf(tx, page, metric);
    const compared = page.map(({ row: { attack, settings }, seeds }, i) => ({
      attack,
      settings,
      seeds,
      interval: intervals[i]!,
    }));
    return { intervals, letters: cursor ? [] : await compareRows(tx, compared, metric) };
  };
  const ballsAndRobust = async () => {
    const needsBalls = query.attack === undefined || rows.some((row) => !isBounded(row));
    const balls = await threatModels(tx, needsBalls ? rows : []);
    if (query.attack === undefined) return { balls, robust: [] };
    const runs = page.map(({ row: { attack, settings, sweep_id }, seeds }) => ({
      attack,
      settings,
      seeds,
      radii: balls.get(sweep_id) ?? {},
    }));
    return { balls, robust: await robustOfRows(tx, runs) };
  };
  // None of these needs another one, so they run at the same time.
  const [{ intervals, letters }, repeats, reasons, { balls, robust }, strongest, older, misses, notes] =
    await Promise.all([
      comparisons(),
      repeatsOf(tx, query, cursor, page),
      reasonsOf(tx, evidence.flat()),
      ballsAndRobust(),
      strongestAttacks(tx, page, metric),
      readChanges(tx, rows.map(stageOf), changesOf),
      missedByGradients(tx, [...new Set(evidence.flat().map(({ trial_id }) => trial_id))]),
      cursor ? {} : readNotes(tx, query, rows),
    ]);
  const items = page.map(({ row, seeds, value }, i): LeaderboardRow => {
    const interval = intervals[i]!;
    const changes = older.get(rowKey(stageOf(row)));
    const verdict = worstTrialVerdict(seeds.flatMap((seed) => seed.verdict ?? []));
    const flagged = verdict === 'ok' ? undefined : seeds.find((seed) => seed.verdict === verdict);
    const missed = missedOfSeeds(seeds.map(({ trial_id }) => misses.get(trial_id) ?? []));
    const seedRange = interval === null ? undefined : seedRangeOf(metric, seeds);
    return {
      rank: ranks[i]!.rank,
      trialId: row.trial_id,
      sweepId: row.sweep_id,
      recipe: row.recipe,
      dataset: row.dataset,
      ...(row.rung !== null && { rung: row.rung }),
      seeds: row.seeds,
      hyperparameters: row.hyperparameters,
      attack: strongest[i]?.attack ?? row.attack,
      settings: strongest[i]?.settings ?? row.settings,
      ...(query.attack === undefined && { within: balls.get(row.sweep_id) ?? {} }),
      ...(strongest[i] && strongest[i].tied.length > 0 && { tied: [...strongest[i].tied] }),
      metric,
      value: value === null ? null : writeExtended(value),
      ...(robust[i] && { robustAtEpsilon: robust[i] }),
      ...(row.infinite_seeds > 0 && { infiniteSeeds: row.infinite_seeds }),
      halfWidth: value === null ? null : halfWidth(row.seeds.length, row.deviation),
      interval: interval && [writeExtended(interval[0]), writeExtended(interval[1])],
      ...(seedRange && { seedRange }),
      counts: countsOf(seeds),
      ...(letters[i] !== undefined && { letters: letters[i] }),
      cleanAccuracy: row.clean_accuracy,
      cleanInterval: cleanIntervalOf(seeds),
      ...rejectionsOf(seeds),
      verdict,
      ...(flagged && flagged.trial_id !== row.trial_id && { flaggedTrialId: flagged.trial_id }),
      ...(repeats[i] && { sameAs: repeats[i] }),
      ...(changes && { older: changes }),
      reasons: reasonsOfRow(seeds, reasons),
      ...(missed.length > 0 && { missedByGradients: [...missed] }),
    };
  });
  const last = rows.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  return {
    items,
    next: hasMore ? writeLeaderboardCursor(cursorAfter(last, ranks.at(-1)!, byRung)) : null,
    ...notes,
  };
};
