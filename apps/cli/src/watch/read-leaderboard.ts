import type { Client } from '@funnel/client';
import { type AttackName, type LeaderboardRow, type SweepDetail, usualRankings } from '@funnel/contracts';

type SweepRanking = {
  /** Undefined: the worst case over all. */
  readonly attack: AttackName | undefined;
  readonly rows: readonly LeaderboardRow[];
};

/** The ranking of one sweep by its objective, or by what it is usually judged by. */
export const readLeaderboard = async (
  client: Client,
  { id, definition }: SweepDetail,
): Promise<SweepRanking> => {
  const [{ attack, metric }] = usualRankings(definition);
  const { items } = await client.leaderboard({ query: { sweep: id, limit: 1000, attack, metric } });
  return { attack, rows: items };
};
