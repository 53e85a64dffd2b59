/** `postgres://user:password@host:port/database?sslmode=…`: checked once, where it comes in, and without ever being said again. */
import { accessSync, constants } from 'node:fs';
import { AppError } from '@funnel/contracts';

/** What the driver takes as one and the same: TLS with the certificate and the name in it verified. */
const verifying: ReadonlySet<string> = new Set(['verify-full', 'verify-ca', 'require', 'prefer']);
/** Without TLS, and TLS to whoever answers. */
const others: ReadonlySet<string> = new Set(['disable', 'no-verify']);
const files = ['sslrootcert', 'sslcert', 'sslkey'] as const;

/** The variable that an address came in: what its errors name. REDIS_URL may hold a PostgreSQL that keeps only the queue. */
export type AddressName = 'DATABASE_URL' | 'REDIS_URL';

export const partAt = (name: AddressName): string => (name === 'DATABASE_URL' ? 'database' : 'queue');

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
