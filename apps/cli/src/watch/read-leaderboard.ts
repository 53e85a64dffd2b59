import type { Client } from '@funnel/client';
import type { LeaderboardRow, SweepDetail } from '@funnel/contracts';

/** The ranking of one sweep by its objective: the first attack's robust accuracy unless the definition says otherwise. */
export const readLeaderboard = async (
  client: Client,
  { id, definition }: SweepDetail,
): Promise<readonly LeaderboardRow[]> => {
  const { objective } = definition;
  const query = { sweep: id, limit: 1000, ...(objective ?? {}) };
  return (await client.leaderboard({ query })).items;
};
