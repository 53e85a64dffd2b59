/**
 * Which runs are the most robust. One scan of an index that is in the order of the answer, per group of rows that belong together
 * (unmasked, masked, and each without a value); the groups are merged here, so that a page costs the same wherever it is.
 */
import {
  type AttackName,
  type DatasetName,
  type Diagnostic,
  diagnostics,
  evaluationMetrics,
  type KnobValue,
  type LeaderboardQuery,
  type LeaderboardRow,
  type RecipeName,
  type Verdict,
} from '@funnel/contracts';
import type { Db } from '../db.ts';
import { reading, type Tx } from '../transaction.ts';
import type { Page } from '../types.ts';
import { readCursor, writeCursor } from './cursor.ts';
import { rankedConfigurations } from './leaderboard-configurations.ts';
import { isLeaderboardCursor, type LeaderboardCursor, ranksOf } from './leaderboard-cursor.ts';
import { rankedTrials } from './leaderboard-trials.ts';
import type { Ranked } from './ranked.ts';
import { halfWidth } from './student-t.ts';

type Details = {
  readonly trial_id: string;
  readonly stage_id: string;
  readonly sweep_id: string;
  readonly recipe: RecipeName;
  readonly dataset: DatasetName;
  readonly hyperparameters: Record<string, KnobValue>;
  readonly verdict: Verdict | null;
  readonly attack: AttackName;
  readonly settings: Record<string, unknown>;
};

const detailsOf = async (tx: Tx, rows: readonly Ranked[]): Promise<ReadonlyMap<string, Details>> => {
  const found = await tx.query<Details>(
    `SELECT t.id AS trial_id, e.stage_id, t.sweep_id, t.recipe, t.dataset, t.hyperparameters, t.verdict, e.attack, e.settings
     FROM unnest($1::text[], $2::text[]) AS r (trial_id, stage_id)
     JOIN trials t ON t.id = r.trial_id JOIN evaluations e ON e.stage_id = r.stage_id`,
    [rows.map((row) => row.trial_id), rows.map((row) => row.stage_id)],
  );
  return new Map(found.map((row) => [`${row.trial_id} ${row.stage_id}`, row]));
};

/** Why trials are marked: the checks of their evaluations that did not pass, each once. */
const reasonsOf = async (
  tx: Tx,
  trialIds: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> => {
  const rows = await tx.query<{ trial_id: string; attack: string; diagnostics: Diagnostic[] }>(
    `SELECT ts.trial_id, e.attack, e.diagnostics FROM trial_stages ts JOIN evaluations e ON e.stage_id = ts.stage_id
     WHERE ts.trial_id = ANY($1) AND e.verdict <> 'ok' ORDER BY ts.trial_id, ts.position`,
    [trialIds],
  );
  const reasons = new Map<string, string[]>();
  for (const { trial_id, attack, diagnostics: checks } of rows) {
    const said = checks
      .filter((check) => check.verdict !== 'ok')
      .map((check) => `${attack}: not “${diagnostics[check.id].title}”: ${check.detail}`);
    reasons.set(trial_id, [...new Set([...(reasons.get(trial_id) ?? []), ...said])]);
  }
  return reasons;
};

const cursorOf = (row: Ranked, rank: number, count: number): LeaderboardCursor => ({
  masked: row.masked,
  merit: row.merit,
  trial: row.trial_id,
  position: row.position,
  rank,
  count,
});

/** Best first; ties, missing values and masked runs as `LeaderboardRow` says. Errors: INVALID_REQUEST. */
export const leaderboard = async (db: Db, query: LeaderboardQuery): Promise<Page<LeaderboardRow>> => {
  const tx = reading(db);
  const { limit, metric } = query;
  const cursor = query.cursor === undefined ? undefined : readCursor(query.cursor, isLeaderboardCursor);
  const find = query.group === 'trial' ? rankedTrials : rankedConfigurations;
  const found = await find(tx, query, cursor);
  const rows = found.slice(0, limit);
  const ranks = ranksOf(rows, cursor, query.masked === 'last');
  const [details, reasons] = await Promise.all([
    detailsOf(tx, rows),
    reasonsOf(
      tx,
      rows.map((row) => row.trial_id),
    ),
  ]);
  const sign = evaluationMetrics[metric].direction === 'max' ? 1 : -1;
  const items = rows.map((row, i): LeaderboardRow => {
    const { sweep_id, recipe, dataset, hyperparameters, verdict, attack, settings } = details.get(
      `${row.trial_id} ${row.stage_id}`,
    )!;
    const value = row.merit === null ? null : row.merit * sign + 0; // + 0: no −0
    return {
      rank: ranks[i]!,
      trialId: row.trial_id,
      sweepId: sweep_id,
      recipe,
      dataset,
      seeds: row.seeds,
      hyperparameters,
      attack,
      settings,
      metric,
      value,
      halfWidth: value === null ? null : halfWidth(row.seeds.length, row.deviation),
      cleanAccuracy: row.clean_accuracy,
      verdict: row.masked ? 'masked' : (verdict ?? 'ok'),
      reasons: [...(reasons.get(row.trial_id) ?? [])],
    };
  });
  const last = rows.at(-1);
  const more = found.length > limit && last !== undefined;
  return {
    items,
    next: more ? writeCursor(cursorOf(last, ranks.at(-1)!, (cursor?.count ?? 0) + rows.length)) : null,
  };
};
