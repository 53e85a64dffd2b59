/**
 * Tokens: whether callers need one, which caller a token belongs to, and the tokens of the environment.
 *
 * A service that others can reach does not start without a token. In containers and clusters nobody can make the first token by hand, so
 * it comes from the environment (FUNNEL_ADMIN_TOKEN). When this secret changes, its new token replaces the earlier one.
 */
import { createHash } from 'node:crypto';
import { AppError, type Role } from '@funnel/contracts';
import {
  actingAs,
  anyToken,
  type Db,
  environmentAuthor,
  findToken,
  listTokens,
  revokeToken,
  saveToken,
} from '@funnel/db';
import type { Caller } from '../handlers/handler.ts';

/** The database stores only this hash of a token. A token has 256 random bits, so it needs no salt and no slow hash. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex');

/** `whileAway`: the answer may be the last one while the database is away. (Default: false, throws UNAVAILABLE) */
type Asking = { readonly whileAway?: boolean };

export type TokenGate = {
  /** Whether callers need a token. */
  readonly tokensNeeded: (options?: Asking) => Promise<boolean>;
  /** Null for an unknown or revoked token. */
  readonly findCaller: (tokenHash: string, options?: Asking) => Promise<Caller | null>;
};

export type TokenGateOptions = {
  /** Callers need a token even if none exists yet. */
  readonly required: boolean;
  readonly host: string;
};

/**
 * Calls share runs of `run`, but no call gets the result of a run that began before it. So many calls at once cost two runs: the one under
 * way, and one for all calls since.
 */
export const shareRuns = <T>(run: () => Promise<T>): (() => Promise<T>) => {
  let running: Promise<T> | null = null;
  let next: Promise<T> | null = null;
  const call = (): Promise<T> => {
    if (!running) {
      running = run().finally(() => {
        running = null;
      });
      return running;
    }
    next ??= running
      .catch(() => {})
      .then(() => {
        next = null;
        return call();
      });
    return next;
  };
  return call;
};

/** The largest number of tokens that a process remembers. */
const maxRemembered = 1000;

const isAway = (error: unknown): boolean => error instanceof AppError && error.code === 'UNAVAILABLE';

/** Finds callers in the database, and remembers them for the time in which it is away. */
const createFinder = (db: Db): TokenGate['findCaller'] => {
  const remembered = new Map<string, Caller>();
  return async (tokenHash, { whileAway = false } = {}) => {
    try {
      const caller = await findToken(db, tokenHash);
      remembered.delete(tokenHash);
      if (caller) remembered.set(tokenHash, caller);
      for (const oldest of remembered.keys()) if (remembered.size > maxRemembered) remembered.delete(oldest);
      return caller;
    } catch (error) {
      const last = remembered.get(tokenHash);
      if (whileAway && isAway(error) && last) return last;
      throw error;
    }
  };
};

/**
 * Throws UNAUTHENTICATED if tokens are required and none is valid: nobody could call the service.
 *
 * From the first token on, a token is needed for ever: revoking the last one must not open the service. Until then each request asks the
 * database, so that the first token counts from the next request on, whichever process made it. Without an answer of the database the
 * request fails: it may come back before the request changes something, and may have tokens.
 */
export const createTokenGate = async (db: Db, { required, host }: TokenGateOptions): Promise<TokenGate> => {
  if (required && !(await listTokens(db)).some(({ revokedAt }) => revokedAt === null))
    throw new AppError(
      'UNAUTHENTICATED',
      `Expected at least one token before listening on ${host} for others, but there is none: make one with \`npx funnel token create NAME\``,
    );
  let needed = required;
  const check = shareRuns(async () => {
    needed ||= await anyToken(db);
  });
  return {
    tokensNeeded: async ({ whileAway = false } = {}) => {
      if (!needed)
        await check().catch((error: unknown) => {
          if (!whileAway || !isAway(error)) throw error;
        });
      return needed;
    },
    findCaller: createFinder(db),
  };
};

export type EnvironmentTokens = {
  /** FUNNEL_ADMIN_TOKEN, with the role admin. */
  readonly admin?: string;
  /** FUNNEL_METRICS_TOKEN, with the role read: for Prometheus. */
  readonly metrics?: string;
};

const kinds = {
  admin: { variable: 'FUNNEL_ADMIN_TOKEN', role: 'admin' },
  metrics: { variable: 'FUNNEL_METRICS_TOKEN', role: 'read' },
} as const satisfies Record<keyof EnvironmentTokens, { readonly variable: string; readonly role: Role }>;

/** A name that identifies the secret without revealing it. */
const nameOf = (kind: string, hash: string): string => `environment-${kind}-${hash.slice(0, 8)}`;

/** For `catch`: ignores a missing token, because another process that starts at the same time may have revoked it. */
const ignoreNotFound = (error: unknown): void => {
  if (!(error instanceof AppError && error.code === 'NOT_FOUND')) throw error;
};

/** The error of `saveToken` in the words of a variable. */
const inVariable = (variable: string, error: unknown): unknown =>
  error instanceof AppError && error.code === 'INVALID_TRANSITION'
    ? new AppError(error.code, `${variable}: ${error.message}. Set ${variable} to a secret of its own`)
    : error;

const ensureToken = async (db: Db, kind: keyof EnvironmentTokens, secret: string): Promise<void> => {
  const { variable, role } = kinds[kind];
  const hash = hashToken(secret);
  const name = nameOf(kind, hash);
  const known = await listTokens(db);
  const same = known.find((token) => token.name === name);
  // A revoked token stays revoked, even if the environment has it again. It replaces no other token, so that nobody is locked out.
  if (same?.revokedAt) return;
  if (!same)
    await saveToken(db, { name, role, hash }).catch(async (error: unknown) => {
      const current = await listTokens(db);
      if (!current.some((token) => token.name === name)) throw inVariable(variable, error);
    });
  const earlier = known.filter(
    (token) => token.name.startsWith(`environment-${kind}-`) && token.name !== name && !token.revokedAt,
  );
  for (const token of earlier) await revokeToken(db, token.name).catch(ignoreNotFound);
};

/**
 * Saves these tokens, and revokes earlier ones of the same kinds. The audit log has both, by `environment`. Errors: INVALID_TRANSITION if
 * another token has the same secret.
 */
export const ensureEnvironmentTokens = async (db: Db, tokens: EnvironmentTokens): Promise<void> => {
  const own = actingAs(db, environmentAuthor);
  if (tokens.admin) await ensureToken(own, 'admin', tokens.admin);
  if (tokens.metrics) await ensureToken(own, 'metrics', tokens.metrics);
};
