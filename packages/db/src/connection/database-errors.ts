/** What PostgreSQL and the driver may answer, sorted into: try again, not reachable, full, or a bug. */

import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@funnel/contracts';

/** SQLSTATE of PostgreSQL, or the `code` of a socket error. */
export const errorCode = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;

/** Serialization failure and deadlock: the same transaction will succeed when it is run again. */
const retriable: ReadonlySet<string> = new Set(['40001', '40P01']);

/** Shutting down, crashed, starting, out of connections, killed for idling; then sockets that broke or never opened. */
const unreachable: ReadonlySet<string> = new Set([
  ...[
    '08000',
    '08001',
    '08003',
    '08004',
    '08006',
    '57P01',
    '57P02',
    '57P03',
    '57P05',
    '53300',
    '25P03',
    '25006',
  ],
  ...[
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ENOTFOUND',
    'EAI_AGAIN',
    'ENOENT',
  ],
]);

/** Somebody answers, and does not let us in, or is not who the address says: what to do about it. */
const refusals: readonly (readonly [RegExp, string])[] = [
  [
    /^28P01$/,
    'it refuses the user or the password: check both in DATABASE_URL (other characters than letters and digits are written as %XX)',
  ],
  [
    /^28000$/,
    'it takes no such connection: it may want TLS (add ?sslmode=verify-full to DATABASE_URL), a client certificate (sslcert, sslkey), or this machine in its pg_hba.conf',
  ],
  [/^3D000$/, 'it has no such database: make it, or check the name at the end of DATABASE_URL'],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'its certificate is for another name: use that name in DATABASE_URL (a certificate for an address has it as IP in its subjectAltName)',
  ],
  [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/, 'its certificate is not valid now: renew it, or check the clock'],
  [
    /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(_LOCALLY)?)|CERT_SIGNATURE_FAILURE)$/,
    'its certificate is of an authority that is not known here: name the file of that authority in DATABASE_URL (sslrootcert=/path/to/ca.crt)',
  ],
];

const noTls = /^The server does not support SSL connections/;

const refusalOf = (error: unknown): string | undefined => {
  if (error instanceof Error && noTls.test(error.message))
    return 'it does not speak TLS: turn it on there (ssl = on), or leave sslmode out of DATABASE_URL';
  const code = errorCode(error) ?? '';
  return refusals.find(([codes]) => codes.test(code))?.[1];
};

/** Not now: a statement that took too long or waited too long for a lock, and a server short of memory or of something else. */
const busy: ReadonlySet<string> = new Set(['57014', '55P03', '53000', '53200', '53400']);

/** The driver throws these without a code. */
const brokenConnection =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/;

/** No room left on the disk. */
const full: ReadonlySet<string> = new Set(['53100']);

/**
 * Violations that only a concurrent transaction can cause, and that the next look avoids: two claims of one chain, and a blob that was
 * collected between two statements.
 */
const racing: ReadonlySet<string> = new Set(['stages_running_chain_key', 'checkpoint_blobs_sha256_fkey']);

const constraintOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'constraint' in error ? String(error.constraint) : '';

/**
 * A statement that was prepared before a migration changed its columns. The connection that prepared it must go; the next one prepares
 * it anew.
 */
export const isOutdated = (error: unknown): boolean => errorCode(error) === '0A000';

/** A statement that asks for what the tables do not have, or gives what they do not take: perhaps they are of another schema. */
export const isOfTables = (error: unknown): boolean => /^(0A|22|23|42)/.test(errorCode(error) ?? '');

export const isRetriable = (error: unknown): boolean =>
  retriable.has(errorCode(error) ?? '') || racing.has(constraintOf(error)) || isOutdated(error);

/** No answer within the time that a statement had. */
export const isSilent = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('Query read timeout');

export const isUnreachable = (error: unknown): boolean => {
  const code = errorCode(error) ?? '';
  if (unreachable.has(code)) return true;
  return error instanceof Error && brokenConnection.test(error.message);
};

const isBusy = (error: unknown): boolean => isRetriable(error) || busy.has(errorCode(error) ?? '');

/**
 * The one place that decides whether waiting can help: the database restarts, fails over, is out of reach or too busy, or has no room for
 * now. Anything else would come again. For errors of this package's operations.
 */
export const isTransient = (error: unknown): boolean =>
  error instanceof AppError && (error.code === 'UNAVAILABLE' || error.code === 'STORAGE_FULL');

/** The variable that an address came in: what its errors name. REDIS_URL may hold a PostgreSQL that keeps only the queue. */
export type AddressName = 'DATABASE_URL' | 'REDIS_URL';

export const partAt = (name: AddressName): string => (name === 'DATABASE_URL' ? 'database' : 'queue');

/** A person's error where there is one: UNAVAILABLE or STORAGE_FULL. Everything else is thrown on as it came. `name`: what names the server. */
export const databaseError = (error: unknown, name: AddressName = 'DATABASE_URL'): unknown => {
  const part = partAt(name);
  if (error instanceof AppError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (full.has(errorCode(error) ?? ''))
    return new AppError('STORAGE_FULL', `PostgreSQL: ${message}`, {}, { cause: error });
  const refusal = refusalOf(error);
  if (refusal)
    return new AppError(
      'UNAVAILABLE',
      `PostgreSQL answers, but ${refusal.replaceAll('DATABASE_URL', name)} (${message})`,
      { part },
      { cause: error },
    );
  if (isUnreachable(error))
    return new AppError(
      'UNAVAILABLE',
      `PostgreSQL cannot be reached: ${message}`,
      { part },
      { cause: error },
    );
  if (isBusy(error))
    return new AppError(
      'UNAVAILABLE',
      `PostgreSQL cannot do this now: ${message}`,
      { part },
      { cause: error },
    );
  return error;
};

/** The driver hangs the whole connection, its password included, on the error of an idle one: none of that is for a log. */
export const withoutConnection = (error: Error, name?: AddressName): Error => {
  if ('client' in error) delete error.client;
  const told = databaseError(error, name);
  return told instanceof Error ? told : error;
};

/** A server that answers but takes nobody for now: a program that starts waits for it. */

/** Too many connections; starting up; shutting down; ended by an administrator or by the crash of another connection. */
const notNow: ReadonlySet<string> = new Set(['53300', '57P03', '57P01', '57P02']);

const takesNobody = (error: unknown): boolean =>
  notNow.has(errorCode(error) ?? '') ||
  (error instanceof Error && error.cause !== undefined && takesNobody(error.cause));

const firstWait = 100;
const longestWait = 5_000;

/**
 * Does `work` again, after pauses of 0.1 s up to 5 s, for as long as the server takes nobody. Calls `onWait` once, with what the server
 * said. Throws every other error, and whatever came last once `signal` is aborted.
 */
export const whenAdmitted = async <T>(
  work: () => Promise<T>,
  onWait: (error: unknown) => void,
  signal?: AbortSignal,
): Promise<T> => {
  for (let wait = firstWait; ; wait = Math.min(wait * 2, longestWait)) {
    try {
      return await work();
    } catch (error) {
      if (!takesNobody(error) || signal?.aborted) throw error;
      if (wait === firstWait) onWait(error);
      // Half of it is random, so that programs that started together do not come back in step.
      await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
    }
  }
};
