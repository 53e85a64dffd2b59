/** Decides for searches whenever one is due. Runs in the API and in every worker, so that a search goes on without the API. */
import { type Db, type Rounds, startRounds } from '@funnel/db';
import { createDecidingThread } from './deciding-thread.ts';
import { proposeOnce } from './propose.ts';

export type StartProposerOptions = {
  readonly engineVersion: string;
  readonly onError: (error: unknown) => void;
};

/** Wakes when a commit of `db` has made a search due. Others must wake it for searches that another process made due. */
export const startProposer = (db: Db, { engineVersion, onError }: StartProposerOptions): Rounds => {
  const thread = createDecidingThread();
  const rounds = startRounds(db, {
    table: 'searches',
    round: () => proposeOnce(db, { engineVersion, thread }),
    onError,
  });
  return {
    wake: rounds.wake,
    close: async () => {
      await Promise.all([rounds.close(), thread.close()]);
    },
  };
};
