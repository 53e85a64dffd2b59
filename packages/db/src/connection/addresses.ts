/**
 * Addresses of PostgreSQL: `postgres://user:password@host:port/database?sslmode=…`. Each address is checked once, when a process gets it.
 * No message contains any part of the user or the password.
 */
import { accessSync, constants } from 'node:fs';
import { AppError } from '@funnel/contracts';
import { type AddressName, partAt, withoutConnection } from './database-errors.ts';
import { type NamedAddress, refusePooledQueue } from './pooler.ts';

/** The driver treats these modes alike: it uses TLS, and verifies the certificate and the name in it. */
const verifyingModes: ReadonlySet<string> = new Set(['verify-full', 'verify-ca', 'require', 'prefer']);
/** No TLS, and TLS to any server that answers. */
const otherModes: ReadonlySet<string> = new Set(['disable', 'no-verify']);
const fileParameters = ['sslrootcert', 'sslcert', 'sslkey'] as const;

/** `isSetting`: the address itself is wrong, and waiting does not help. */
const unusable = (name: AddressName, message: string) =>
  new AppError('UNAVAILABLE', message, { part: partAt(name), isSetting: true });

const parse = (address: string, name: AddressName): URL => {
  // An address with a socket's folder in `host` may have no host before the path. The driver accepts it, URL does not.
  const whole = URL.canParse(address) ? address : address.replace('@/', '@localhost/');
  // No `new URL` of a wrong address: the error would contain the address, with the password.
  const url = URL.canParse(whole) ? new URL(whole) : null;
  if (url?.protocol === 'postgres:' || url?.protocol === 'postgresql:') return url;
  throw unusable(
    name,
    `Expected ${name} to be postgres://user:password@host:5432/database, but it has another form: in user and password, write all characters except letters and digits as %XX`,
  );
};

const checkMode = (url: URL, name: AddressName): void => {
  const mode = url.searchParams.get('sslmode');
  if (mode === null || otherModes.has(mode)) return;
  if (!verifyingModes.has(mode))
    throw unusable(
      name,
      `Expected sslmode in ${name} to be one of ${[...verifyingModes, ...otherModes].join(', ')}, but got ${JSON.stringify(mode)}`,
    );
  // The driver verifies more than some of these modes demand. The explicit mode makes sure that a later driver verifies no less.
  url.searchParams.set('sslmode', 'verify-full');
};

const checkFiles = (url: URL, name: AddressName): void => {
  // In libpq `system` means the usual authorities. The driver uses these when the parameter is absent.
  if (url.searchParams.get('sslrootcert') === 'system') url.searchParams.delete('sslrootcert');
  for (const parameter of fileParameters) {
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

/** Checks the address, and returns it in the form for the driver. Errors: UNAVAILABLE, which says what to change. */
export const databaseAddress = (address: string, name: AddressName = 'DATABASE_URL'): string => {
  const url = parse(address, name);
  checkMode(url, name);
  checkFiles(url, name);
  return url.href;
};

export type QueueAddress = {
  readonly url: string;
  /**
   * Turns an error of this PostgreSQL into one that says what to change and contains no secret. Absent for Redis, whose errors the queue
   * explains.
   */
  readonly explain?: (error: Error) => Error;
  /** Refuses a pooler in front of this PostgreSQL. Absent for Redis. */
  readonly checkPooler?: () => Promise<void>;
};

/**
 * The address of the queue: REDIS_URL (`queueUrl`), or without it the database itself (`Db.direct`). REDIS_URL may name another PostgreSQL; its address is then
 * checked like the database's. Errors: UNAVAILABLE, which says what to change.
 */
export const queueAddress = (queueUrl: string | undefined, direct: NamedAddress): QueueAddress => {
  const { url, name } = queueUrl === undefined ? direct : ({ url: queueUrl, name: 'REDIS_URL' } as const);
  if (!/^postgres(ql)?:/i.test(url)) return { url };
  const address = { url: databaseAddress(url, name), name };
  return {
    ...address,
    explain: (error) => withoutConnection(error, name),
    checkPooler: () => refusePooledQueue(address),
  };
};
