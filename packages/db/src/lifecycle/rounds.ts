/** Background work that begins after a commit: each round is a short transaction, and rounds follow each other until nothing is left. */
import { within } from '@funnel/contracts';
import type { Db, WokenTable } from '../connection/db.ts';

/** Milliseconds for which `close` waits for a round. */
const closeTimeoutMs = 1000;

export type Rounds = {
  /** Starts a round, or another one after the current round. Never throws. */
  readonly wake: () => void;
  /** Waits for the current round, but at most a second. The rows of the rounds that did not run stay in the table. */
  readonly close: () => Promise<void>;
};

export type RoundsOptions = {
  /** The table whose rows are the work. A commit of `db` that wrote such rows wakes the rounds. */
  readonly table: WokenTable;
  /** Resolves to true if another round must follow at once. */
  readonly round: () => Promise<boolean>;
  /** Called when a round fails. The next round takes the same rows. */
  readonly onError: (error: unknown) => void;
};

/** Runs rounds, one after the other, whenever a transaction of `db` that wrote to the table has committed. */
export const startRounds = (db: Db, { table, round, onError }: RoundsOptions): Rounds => {
  let isWoken = false;
  let isClosed = false;
  let running: Promise<void> | null = null;
  const run = async (): Promise<void> => {
    while (isWoken && !isClosed) {
      isWoken = false;
      try {
        if (await round()) isWoken = true;
      } catch (error) {
        if (!isClosed) onError(error);
      }
    }
    running = null;
  };
  const wake = (): void => {
    isWoken = true;
    if (!isClosed) running ??= run();
  };
  const forget = db.onWritten(table, wake);
  return {
    wake,
    close: async () => {
      isClosed = true;
      forget();
      if (running) await within(closeTimeoutMs, running);
    },
  };
};
