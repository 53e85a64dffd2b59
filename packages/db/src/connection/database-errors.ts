/** Errors of PostgreSQL and of the driver: whether a retry helps, and the message for a person. */
import { AppError } from '@funnel/contracts';

/** SQLSTATE of PostgreSQL, or the `code` of a socket error. */
export const errorCode = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;

/** Serialization failure and deadlock: the same transaction will succeed when it is run again. */
const retriable: ReadonlySet<string> = new Set(['40001', '40P01']);

/**
 * The codes of PostgreSQL mean: the server shuts down, crashed, starts, has no connection left, or ended an idle one. The codes of sockets
 * mean: the socket broke or never opened.
 */
const unreachable: ReadonlySet<string> = new Set(
  (
    '08000 08001 08003 08004 08006 57P01 57P02 57P03 57P05 53300 25P03 25006 ' +
    'ECONNREFUSED ECONNRESET EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH ENOTFOUND EAI_AGAIN ENOENT'
  ).split(' '),
);

/** The server answers but refuses the connection, or its certificate does not fit the address. Each text says what the reader can do. */
const refusals: readonly (readonly [RegExp, string])[] = [
  [
    /^28P01$/,
    'it refuses the user or the password: check both in DATABASE_URL (write all characters except letters and digits as %XX)',
  ],
  [
    /^28000$/,
    'it refuses this kind of connection: it may demand TLS (add ?sslmode=verify-full to DATABASE_URL), a client certificate (sslcert, sslkey), or a line for this machine in its pg_hba.conf',
  ],
  [/^3D000$/, 'it has no such database: create it, or check the name at the end of DATABASE_URL'],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'its certificate is for another name: use that name in DATABASE_URL (a certificate for an IP address names the address as IP in its subjectAltName)',
  ],
  [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/, 'its certificate is not valid now: renew it, or check the clock'],
  [
    /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(_LOCALLY)?)|CERT_SIGNATURE_FAILURE)$/,
    'this machine does not know the authority of its certificate: name the file of the authority in DATABASE_URL (sslrootcert=/path/to/ca.crt)',
  ],
];

/** PgBouncer refuses a parameter of the connection. */
const refusedParameter = /^unsupported startup parameter( in options)?: (\S+)/;

const parameterRefusal = (error: Error): string | undefined => {
  const match = refusedParameter.exec(error.message);
  if (!match) return undefined;
  if (match[1] !== undefined || match[2] === 'options')
    return 'a pooler in front of it refuses the queue: write the address of PostgreSQL itself into DATABASE_DIRECT_URL';
  return 'a pooler in front of it refuses a parameter: set `ignore_startup_parameters = statement_timeout,idle_in_transaction_session_timeout` in pgbouncer.ini';
};

/** A pooler ran a statement on a connection that has not prepared it. */
const lostStatement = /^(26000|42P05)$/;

const noTls = /^The server does not support SSL connections/;

const refusalOf = (error: unknown): string | undefined => {
  if (error instanceof Error && noTls.test(error.message))
    return 'it does not support TLS: turn TLS on in the server (ssl = on), or remove sslmode from DATABASE_URL';
  const code = errorCode(error) ?? '';
  if (error instanceof Error && code === '08P01') return parameterRefusal(error);
  if (lostStatement.test(code))
    return 'a pooler in front of it loses prepared statements: write the address of PostgreSQL itself into DATABASE_DIRECT_URL';
  return refusals.find(([codes]) => codes.test(code))?.[1];
};

/**
 * A statement took too long or waited too long for a lock, or the server lacks memory or another resource. The same statement may work
 * later.
 */
const busy: ReadonlySet<string> = new Set(['57014', '55P03', '53000', '53200', '53400']);

/** The statement waited for a lock for as long as its transaction may. */
const lockTimeout = '55P03';

/** The driver throws these without a code. */
const brokenConnection =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/;

/** No room left on the disk. */
const storageFull: ReadonlySet<string> = new Set(['53100']);

/**
 * Only a concurrent transaction can cause a violation of these constraints, so the next try succeeds: two claims of one chain, and a blob
 * that was collected between two statements.
 */
const racing: ReadonlySet<string> = new Set(['stages_running_chain_key', 'checkpoint_blobs_sha256_fkey']);

const constraintOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'constraint' in error ? String(error.constraint) : '';

/**
 * A migration changed the columns of a prepared statement. The connection that prepared it must be closed; the next connection prepares it
 * again.
 */
export const isOutdated = (error: unknown): boolean => errorCode(error) === '0A000';

/** The tables lack a column that the statement names, or do not accept its values: they may have another schema. */
export const isOfTables = (error: unknown): boolean => /^(0A|22|23|42)/.test(errorCode(error) ?? '');

export const isRetriable = (error: unknown): boolean =>
  retriable.has(errorCode(error) ?? '') || racing.has(constraintOf(error)) || isOutdated(error);

/** There was no answer within the time limit of the statement. */
export const isAnswerMissing = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('Query read timeout');

export const isUnreachable = (error: unknown): boolean => {
  const code = errorCode(error) ?? '';
  if (unreachable.has(code)) return true;
  return error instanceof Error && brokenConnection.test(error.message);
};

const isBusy = (error: unknown): boolean => isRetriable(error) || busy.has(errorCode(error) ?? '');

/**
 * Whether waiting can help: the database restarts, fails over, cannot be reached, is too busy, or has no room now. Any other error would
 * come again. `error`: an error of an operation of this package. No other code decides this question.
 */
export const isTransient = (error: unknown): boolean =>
  error instanceof AppError && (error.code === 'UNAVAILABLE' || error.code === 'STORAGE_FULL');

/**
 * The variable that holds an address; errors name it. DATABASE_DIRECT_URL leads past a pooler. REDIS_URL may name a PostgreSQL that keeps only
 * the queue.
 */
export type AddressName = 'DATABASE_URL' | 'DATABASE_DIRECT_URL' | 'REDIS_URL';

export const partAt = (name: AddressName): string => (name === 'REDIS_URL' ? 'queue' : 'database');

/**
 * The error with a message for a person: UNAVAILABLE or STORAGE_FULL. Returns any other error unchanged. `name`: the variable that names
 * the server.
 */
export const databaseError = (error: unknown, name: AddressName = 'DATABASE_URL'): unknown => {
  const part = partAt(name);
  if (error instanceof AppError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (storageFull.has(errorCode(error) ?? ''))
    return new AppError('STORAGE_FULL', `PostgreSQL: ${message}`, {}, { cause: error });
  const refusal = refusalOf(error);
  if (refusal)
    return new AppError(
      'UNAVAILABLE',
      `PostgreSQL answers, but ${refusal.replaceAll(/\bDATABASE_URL\b/g, name)} (${message})`,
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
  if (errorCode(error) === lockTimeout)
    return new AppError(
      'UNAVAILABLE',
      'Expected to begin within seconds, but another operation on a large sweep takes longer. Nothing has changed.',
      { isBusy: true, hint: 'Try again in a minute.' },
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

/**
 * The driver attaches the whole connection, with its password, to the error of an idle connection. This function removes it, to keep it out
 * of logs.
 */
export const withoutConnection = (error: Error, name?: AddressName): Error => {
  if ('client' in error) delete error.client;
  const explained = databaseError(error, name);
  return explained instanceof Error ? explained : error;
};
