/**
 * How often one client may call: a bucket that fills evenly and holds a minute's worth, kept as the single time at which it would be
 * full again (the generic cell rate algorithm). Per process: several API processes allow as many times as much.
 */
export type RateLimiter = {
  /** Takes one call of `client`; answers the seconds to wait when there is none left, else 0. */
  readonly take: (client: string) => number;
};

const minute = 60_000;
/** Clients remembered before those with full buckets are forgotten. */
const maxClients = 10_000;

export const createRateLimiter = (perMinute: number, now: () => number = Date.now): RateLimiter => {
  const interval = minute / perMinute;
  /** When each client's bucket is full again. */
  const fullAt = new Map<string, number>();

  let tidyAt = maxClients;

  const forgetIdle = (time: number): void => {
    for (const [client, at] of fullAt) if (at <= time) fullAt.delete(client);
    // Not again before there are twice as many: a flood must not make every call look at every client.
    tidyAt = Math.max(maxClients, 2 * fullAt.size);
  };

  return {
    take: (client) => {
      const time = now();
      if (fullAt.size > tidyAt) forgetIdle(time);
      const next = Math.max(fullAt.get(client) ?? time, time) + interval;
      const wait = next - time - minute;
      if (wait > 0) return Math.ceil(wait / 1000);
      fullAt.set(client, next);
      return 0;
    },
  };
};
