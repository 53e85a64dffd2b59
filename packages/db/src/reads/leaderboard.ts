/** The leaderboard ranks runs by robustness. The cost of a page does not depend on its place in the ranking (`ranking.ts`). */
import {
  checkLabel,
  type Diagnostic,
  evaluationMetrics,
  halfWidth,
  type LeaderboardQuery,
  type LeaderboardRow,
  type Recipe,
  type RecipeName,
  recipes,
  writeExtended,
} from '@funnel/contracts';
import { float8, int4, jsonb, orNull, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';
import { assertDataset } from '../datasets/find-dataset.ts';
import type { Page } from '../types.ts';
import { threatModels } from './evaluations.ts';
import {
  type LeaderboardCursor,
  type Ranked,
  ranksOf,
  readLeaderboardCursor,
  writeLeaderboardCursor,
} from './leaderboard-cursor.ts';
import { type ChangesOf, readChanges, rowKey } from './older-stages.ts';
import { findRanked, type RankedRow } from './ranking.ts';
import { assertSweep } from './sweeps.ts';

/** The reasons for the verdicts of trials: the checks of their evaluations that did not pass, each once. */
const reasonsOf = async (
  tx: Tx,
  ranked: readonly RankedRow[],
): Promise<ReadonlyMap<string, readonly string[]>> => {
  const marked = ranked.filter(({ verdict }) => verdict !== null && verdict !== 'ok');
  if (marked.length === 0) return new Map();
  const rows = await tx.query(
    { trial_id: text(), attack: text(), diagnostics: jsonb<Diagnostic[]>() },
    `SELECT ts.trial_id, e.attack, e.diagnostics FROM trial_stages ts JOIN evaluations e ON e.stage_id = ts.stage_id
     WHERE ts.trial_id = ANY($1) AND e.verdict <> 'ok' ORDER BY ts.trial_id, ts.ordinal`,
    [marked.map((row) => row.trial_id)],
  );
  const reasons = new Map<string, string[]>();
  for (const { trial_id, attack, diagnostics: checks } of rows) {
    const failed = checks
      .filter((check) => check.verdict !== 'ok')
      .map((check) => `${attack}: ${checkLabel(check.id)}: ${check.detail}`);
    reasons.set(trial_id, [...new Set([...(reasons.get(trial_id) ?? []), ...failed])]);
  }
  return reasons;
};

type Rejections = { readonly rejectedClean: number; readonly rejectedAttacked: number };

/** True if a stage of the recipe records the share of clean images that its defence rejects. */
const rejectsImages = (name: RecipeName): boolean => {
  const recipe: Recipe = recipes[name];
  return recipe.stages.some(({ records }) => records.includes('rejectedShare'));
};

const keyOf = ({ trial_id, ordinal }: { readonly trial_id: string; readonly ordinal: number }): string =>
  `${trial_id} ${ordinal}`;

/**
 * The shares of images that the defences of ranked runs rejected, by `keyOf`. Runs without such a defence have no entry. `averageSeeds`:
 * take the mean over all seeds of each row's configuration.
 */
const rejectionsOf = async (
  tx: Tx,
  ranked: readonly RankedRow[],
  { metric, averageSeeds }: { readonly metric: string; readonly averageSeeds: boolean },
): Promise<ReadonlyMap<string, Rejections>> => {
  const rows = ranked.filter(({ recipe }) => rejectsImages(recipe));
  if (rows.length === 0) return new Map();
  const found = await tx.query(
    { trial_id: text(), ordinal: int4(), clean: orNull(float8()), attacked: orNull(float8()) },
    `SELECT r.trial_id, r.ordinal, avg((e.summary ->> 'rejectedClean')::float8) AS clean,
       avg((e.summary ->> 'rejectedAttacked')::float8) AS attacked
     FROM unnest($1::text[], $2::int[]) AS r (trial_id, ordinal)
     JOIN trials t ON t.id = r.trial_id
     JOIN trials o ON o.sweep_id = t.sweep_id AND o.configuration_index = t.configuration_index AND ($4 OR o.id = t.id)
     JOIN scores s ON s.trial_id = o.id AND s.ordinal = r.ordinal AND s.metric = $3
     JOIN evaluations e ON e.stage_id = s.stage_id
     GROUP BY r.trial_id, r.ordinal`,
    [rows.map((row) => row.trial_id), rows.map((row) => row.ordinal), metric, averageSeeds],
  );
  return new Map(
    found.flatMap((row) =>
      row.clean === null || row.attacked === null
        ? []
        : [[keyOf(row), { rejectedClean: row.clean, rejectedAttacked: row.attacked }]],
    ),
  );
};

const cursorAfter = (
  { rung, masked, utility, trial_id: trial, ordinal }: RankedRow,
  { rank, count }: Ranked,
  byRung: boolean,
): LeaderboardCursor => ({
  ...(byRung && rung !== null && { rung }),
  masked,
  utility,
  trial,
  ordinal,
  rank,
  count,
});

/**
 * Best first. `LeaderboardRow` describes the rank of ties, missing values and masked runs. `changesOf`: compares stages with the present
 * version. (Default: the rows say nothing about versions) Errors: INVALID_REQUEST, NOT_FOUND (the sweep, the data set).
 */
export const leaderboard = async (
  db: Db,
  query: LeaderboardQuery,
  changesOf: ChangesOf = () => [],
): Promise<Page<LeaderboardRow>> => {
  const tx = reading(db);
  const { limit, metric } = query;
  const cursor = query.cursor === undefined ? undefined : readLeaderboardCursor(query.cursor);
  const { rows: found, byRung } = await findRanked(tx, query, cursor);
  if (found.length === 0 && query.sweep !== undefined) await assertSweep(db, query.sweep);
  if (found.length === 0 && query.dataset !== undefined) await assertDataset(db, query.dataset);
  const rows = found.slice(0, limit);
  const ranks = ranksOf(rows, cursor, { masked: query.masked === 'last', rungs: byRung });
  const reasons = await reasonsOf(tx, rows);
  const rejections = await rejectionsOf(tx, rows, { metric, averageSeeds: query.group === 'configuration' });
  const balls = await threatModels(tx, query.attack === undefined ? rows : []);
  const stageOf = (row: RankedRow) => ({ trialId: row.trial_id, stageId: row.stage_id });
  const older = await readChanges(tx, rows.map(stageOf), changesOf);
  const sign = evaluationMetrics[metric].direction === 'max' ? 1 : -1;
  const items = rows.map((row, i): LeaderboardRow => {
    const value = row.utility === null ? null : row.utility * sign + 0; // + 0 turns −0 into 0
    const changes = older.get(rowKey(stageOf(row)));
    return {
      rank: ranks[i]!.rank,
      trialId: row.trial_id,
      sweepId: row.sweep_id,
      recipe: row.recipe,
      dataset: row.dataset,
      ...(row.rung !== null && { rung: row.rung }),
      seeds: row.seeds,
      hyperparameters: row.hyperparameters,
      attack: row.attack,
      settings: row.settings,
      ...(query.attack === undefined && { within: balls.get(row.sweep_id) ?? {} }),
      metric,
      value: value === null ? null : writeExtended(value),
      ...(row.infinite_seeds > 0 && { infiniteSeeds: row.infinite_seeds }),
      halfWidth: value === null ? null : halfWidth(row.seeds.length, row.deviation),
      cleanAccuracy: row.clean_accuracy,
      ...rejections.get(keyOf(row)),
      verdict: row.masked ? 'masked' : (row.verdict ?? 'ok'),
      ...(changes && { older: changes }),
      reasons: [...(reasons.get(row.trial_id) ?? [])],
    };
  });
  const last = rows.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  return {
    items,
    next: hasMore ? writeLeaderboardCursor(cursorAfter(last, ranks.at(-1)!, byRung)) : null,
  };
};
