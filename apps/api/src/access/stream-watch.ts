/**
 * A stream outlives the request that opened it, and so the look at its token: that is looked at again while it is open, so that a
 * revoked token hears nothing more. One question per token, however many streams it has.
 */
export type StreamWatch = {
  /** `end` is called when the token of this hash (null: none was needed) opens nothing any more. Returns what ends the watch. */
  readonly watch: (tokenHash: string | null, end: () => void) => () => void;
  readonly close: () => void;
};

export type StreamWatchOptions = {
  /** Rejects when it cannot be found out: then the stream goes on. */
  readonly stillOpens: (tokenHash: string | null) => Promise<boolean>;
  readonly milliseconds: number;
};

export const createStreamWatch = ({ stillOpens, milliseconds }: StreamWatchOptions): StreamWatch => {
  const open = new Map<string | null, Set<() => void>>();
  const look = async (tokenHash: string | null, ends: ReadonlySet<() => void>): Promise<void> => {
    if (await stillOpens(tokenHash).catch(() => true)) return;
    for (const end of [...ends]) end();
  };
  const timer = setInterval(() => {
    for (const [tokenHash, ends] of open) void look(tokenHash, ends);
  }, milliseconds);
  timer.unref();
  return {
    watch: (tokenHash, end) => {
      const ends = open.get(tokenHash) ?? new Set();
      open.set(tokenHash, ends.add(end));
      return () => {
        ends.delete(end);
        if (ends.size === 0) open.delete(tokenHash);
      };
    },
    close: () => clearInterval(timer),
  };
};
