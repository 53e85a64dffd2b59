/** `postgres://user:password@host:port/database?sslmode=…`: checked once, where it comes in, and without ever being said again. */

import { accessSync, constants } from 'node:fs';
import { AppError } from '@funnel/contracts';
import { type AddressName, partAt, withoutConnection } from './database-errors.ts';

/** What the driver takes as one and the same: TLS with the certificate and the name in it verified. */
const verifying: ReadonlySet<string> = new Set(['verify-full', 'verify-ca', 'require', 'prefer']);
/** Without TLS, and TLS to whoever answers. */
const others: ReadonlySet<string> = new Set(['disable', 'no-verify']);
const files = ['sslrootcert', 'sslcert', 'sslkey'] as const;

const unusable = (name: AddressName, message: string) =>
  new AppError('UNAVAILABLE', message, { part: partAt(name) });

const parse = (address: string, name: AddressName): URL => {
  // With a socket's folder in `host` there may be no host where one stands; the driver reads that, URL does not.
  const whole = URL.canParse(address) ? address : address.replace('@/', '@localhost/');
  // What URL throws holds its input, and so the password.
  const url = URL.canParse(whole) ? new URL(whole) : null;
  if (url?.protocol === 'postgres:' || url?.protocol === 'postgresql:') return url;
  throw unusable(
    name,
    `Expected ${name} to be postgres://user:password@host:5432/database, but it is not such an address: in user and password, write other characters than letters and digits as %XX`,
  );
};

const checkMode = (url: URL, name: AddressName): void => {
  const mode = url.searchParams.get('sslmode');
  if (mode === null || others.has(mode)) return;
  if (!verifying.has(mode))
    throw unusable(
      name,
      `Expected sslmode in ${name} to be one of ${[...verifying, ...others].join(', ')}, but got ${JSON.stringify(mode)}`,
    );
  // Asking for less than is done: said plainly, so that no later driver does less.
  url.searchParams.set('sslmode', 'verify-full');
};

const checkFiles = (url: URL, name: AddressName): void => {
  // As libpq says “the usual authorities”, which is the driver's way without the parameter.
  if (url.searchParams.get('sslrootcert') === 'system') url.searchParams.delete('sslrootcert');
  for (const parameter of files) {
    const file = url.searchParams.get(parameter);
    if (file === null) continue;
    try {
      accessSync(file, constants.R_OK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException; // thrown by fs
      throw unusable(
        name,
        `Expected the file of ${parameter} in ${name} at ${JSON.stringify(file)}, but it cannot be read (${code})`,
      );
    }
  }
};

/**
 * The same address as the driver should read it. Errors: UNAVAILABLE with what to change; its message has no part of user or password.
 */
export const databaseAddress = (address: string, name: AddressName = 'DATABASE_URL'): string => {
  const url = parse(address, name);
  checkMode(url, name);
  checkFiles(url, name);
  return url.href;
};

/**
 * Where a queue is kept: in the database, or where REDIS_URL says. That may be another PostgreSQL, which is then read, verified and
 * explained as the database is.
 */

export type QueueAddress = {
  readonly url: string;
  /** A fault of this PostgreSQL, in words that say what to change and hold no secret. Of Redis the queue knows better. */
  readonly explain?: (error: Error) => Error;
};

/** `queueUrl`: REDIS_URL, if set. Errors: UNAVAILABLE with what to change, when it is of PostgreSQL and none that can be used. */
export const queueAddress = (queueUrl: string | undefined, databaseUrl: string): QueueAddress => {
  const [url, name] =
    queueUrl === undefined ? ([databaseUrl, 'DATABASE_URL'] as const) : ([queueUrl, 'REDIS_URL'] as const);
  if (!/^postgres(ql)?:/i.test(url)) return { url };
  return { url: databaseAddress(url, name), explain: (error) => withoutConnection(error, name) };
};
