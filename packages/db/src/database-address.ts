/** `postgres://user:password@host:port/database?sslmode=…`: checked once, where it comes in, and without ever being said again. */
import { accessSync, constants } from 'node:fs';
import { AppError } from '@funnel/contracts';

/** What the driver takes as one and the same: TLS with the certificate and the name in it verified. */
const verifying: ReadonlySet<string> = new Set(['verify-full', 'verify-ca', 'require', 'prefer']);
/** Without TLS, and TLS to whoever answers. */
const others: ReadonlySet<string> = new Set(['disable', 'no-verify']);
const files = ['sslrootcert', 'sslcert', 'sslkey'] as const;

const unusable = (message: string) => new AppError('UNAVAILABLE', message, { part: 'database' });

const parse = (address: string): URL => {
  // With a socket's folder in `host` there may be no host where one stands; the driver reads that, URL does not.
  const whole = URL.canParse(address) ? address : address.replace('@/', '@localhost/');
  // What URL throws holds its input, and so the password.
  const url = URL.canParse(whole) ? new URL(whole) : null;
  if (url?.protocol === 'postgres:' || url?.protocol === 'postgresql:') return url;
  throw unusable(
    'Expected DATABASE_URL to be postgres://user:password@host:5432/database, but it is not such an address: in user and password, write other characters than letters and digits as %XX',
  );
};

const checkMode = (url: URL): void => {
  const mode = url.searchParams.get('sslmode');
  if (mode === null || others.has(mode)) return;
  if (!verifying.has(mode))
    throw unusable(
      `Expected sslmode to be one of ${[...verifying, ...others].join(', ')}, but got ${JSON.stringify(mode)}`,
    );
  // Asking for less than is done: said plainly, so that no later driver does less.
  url.searchParams.set('sslmode', 'verify-full');
};

const checkFiles = (url: URL): void => {
  // As libpq says “the usual authorities”, which is the driver's way without the parameter.
  if (url.searchParams.get('sslrootcert') === 'system') url.searchParams.delete('sslrootcert');
  for (const name of files) {
    const file = url.searchParams.get(name);
    if (file === null) continue;
    try {
      accessSync(file, constants.R_OK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException; // thrown by fs
      throw unusable(
        `Expected the file of ${name} in DATABASE_URL at ${JSON.stringify(file)}, but it cannot be read (${code})`,
      );
    }
  }
};

/**
 * The same address as the driver should read it. Errors: UNAVAILABLE with what to change; its message has no part of user or password.
 */
export const databaseAddress = (address: string): string => {
  const url = parse(address);
  checkMode(url);
  checkFiles(url);
  return url.href;
};
