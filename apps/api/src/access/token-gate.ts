/** Whether tokens are needed, and whose a token is. */
import { AppError } from '@funnel/contracts';
import { anyToken, type Db, findToken } from '@funnel/db';
import type { Caller } from '../routing/handler.ts';

export type TokenGate = {
  readonly tokensNeeded: () => Promise<boolean>;
  readonly findCaller: (tokenHash: string) => Promise<Caller | null>;
};

export type TokenGateOptions = {
  /** Others can reach the service, or its owner wants it closed. */
  readonly required: boolean;
  readonly host: string;
};

/** Milliseconds for which "no tokens yet" is believed; a first token closes the door after that. */
const believed = 2000;

/** Throws UNAUTHENTICATED where tokens are required and there is none: nobody could call, or everybody. */
export const createTokenGate = async (db: Db, { required, host }: TokenGateOptions): Promise<TokenGate> => {
  let needed = required || (await anyToken(db));
  let checkedAt = Date.now();
  if (required && !(await anyToken(db)))
    throw new AppError(
      'UNAUTHENTICATED',
      `Expected at least one token before listening on ${host} for others, but there is none: make one with \`funnel token create\``,
    );
  return {
    tokensNeeded: async () => {
      // Once needed, always: revoking the last token must not open the door.
      if (!needed && Date.now() - checkedAt > believed) {
        checkedAt = Date.now();
        needed = await anyToken(db);
      }
      return needed;
    },
    findCaller: (tokenHash) => findToken(db, tokenHash),
  };
};
