import type { Client } from '@funnel/client';
import { type AttackName, type LeaderboardRow, objectiveOf, type SweepDetail } from '@funnel/contracts';

type SweepRanking = { readonly attack: AttackName; readonly rows: readonly LeaderboardRow[] };

/** The ranking of one sweep by its objective, or by what it is usually judged by. */
export const readLeaderboard = async (
  client: Client,
  { id, definition }: SweepDetail,
): Promise<SweepRanking> => {
  const { run, metric } = objectiveOf(definition);
  const { items } = await client.leaderboard({
    query: { sweep: id, limit: 1000, attack: run.attack, metric },
  });
  return { attack: run.attack, rows: items };
};
