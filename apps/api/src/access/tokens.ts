/** Whether tokens are needed, and whose a token is. */
import { createHash } from 'node:crypto';
import { AppError, type Role } from '@funnel/contracts';
import { anyToken, type Db, findToken, listTokens, revokeToken, saveToken } from '@funnel/db';
import type { Caller } from '../handlers/handler.ts';

/** Only the hash of a token is stored: 256 random bits need no salt and no slow hash. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex');

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

/**
 * Tokens that the environment brings: a service that others can reach cannot start without one, and where there is only an environment
 * (containers, clusters) nobody could make the first by hand. A changed secret takes the place of the one before it.
 */

export type EnvironmentTokens = {
  /** FUNNEL_ADMIN_TOKEN: may do everything. */
  readonly admin?: string;
  /** FUNNEL_METRICS_TOKEN: may read, for Prometheus. */
  readonly metrics?: string;
};

const roleOf = { admin: 'admin', metrics: 'read' } as const satisfies Record<keyof EnvironmentTokens, Role>;

/** The name says which secret it is without giving it away. */
const nameOf = (kind: string, hash: string): string => `environment-${kind}-${hash.slice(0, 8)}`;

/** Another process that starts at the same time may have been first. */
const unlessGone = (error: unknown): void => {
  if (!(error instanceof AppError && error.code === 'NOT_FOUND')) throw error;
};

const keepOne = async (db: Db, kind: keyof EnvironmentTokens, secret: string): Promise<void> => {
  const hash = hashToken(secret);
  const name = nameOf(kind, hash);
  const known = await listTokens(db);
  // One that was revoked stays so: a person's no counts for more than what the environment still says.
  if (!known.some((token) => token.name === name))
    await saveToken(db, { name, role: roleOf[kind], hash }).catch(async (error: unknown) => {
      const now = await listTokens(db);
      if (!now.some((token) => token.name === name)) throw error;
    });
  const earlier = known.filter(
    (token) => token.name.startsWith(`environment-${kind}-`) && token.name !== name && !token.revokedAt,
  );
  for (const token of earlier) await revokeToken(db, token.name).catch(unlessGone);
};

/** Makes the database know these tokens, and no earlier ones of the same kinds. */
export const keepEnvironmentTokens = async (db: Db, tokens: EnvironmentTokens): Promise<void> => {
  if (tokens.admin) await keepOne(db, 'admin', tokens.admin);
  if (tokens.metrics) await keepOne(db, 'metrics', tokens.metrics);
};
