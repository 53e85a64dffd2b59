/** Addresses with TLS and passwords, on a server that demands both. */
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createDb, type Db, listTokens, migrate, onEvents, pingDatabase } from '../src/index.ts';
import {
  createTestDatabase,
  hasOpenssl,
  type SecureServer,
  startSecureServer,
  warnWithoutOpenssl,
} from '../src/testing/index.ts';

warnWithoutOpenssl('TLS to PostgreSQL');

describe.runIf(hasOpenssl)('PostgreSQL with TLS and password', () => {
  let server: SecureServer;
  let verified: string;
  beforeAll(async () => {
    server = await startSecureServer();
    verified = server.url({ sslmode: 'verify-full', sslrootcert: server.certificates.authority });
    await migrate(verified);
  });
  afterAll(() => server?.stop());

  const byAddress = (url: string): string => url.replace('@localhost:', '@127.0.0.1:');

  const opened = async <T>(url: string, use: (db: Db) => Promise<T>): Promise<T> => {
    const db = createDb(url, { max: 2 });
    return use(db).finally(() => db.close());
  };

  it.each([
    ['the mode verify-full', () => verified],
    [
      'a mode that demands less than the driver verifies',
      () => server.url({ sslmode: 'require', sslrootcert: server.certificates.authority }),
    ],
    ['a mode that verifies nothing', () => server.url({ sslmode: 'no-verify' })],
    ['by address, with an IP in the certificate', () => byAddress(verified)],
  ])('encrypts the connection: %s', async (_, url) => {
    await opened(url(), async (db) => {
      const { rows } = await db.pool.query(
        'SELECT current_user AS name, ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
      );
      expect(rows).toEqual([
        { name: 'scientist', ssl: true, version: expect.stringMatching(/^TLSv1\.[23]$/) },
      ]);
      expect(await listTokens(db)).toEqual([]);
    });
  });

  it('also encrypts the connection for notifications', async () => {
    await opened(verified, async (db) => {
      let woken = (): void => {};
      const announced = new Promise<void>((resolve) => {
        woken = resolve;
      });
      const listening = await onEvents(db, () => woken());
      try {
        const { rows } = await db.pool.query(
          "SELECT DISTINCT t.ssl FROM pg_stat_ssl t JOIN pg_stat_activity a USING (pid) WHERE a.application_name = 'funnel events'",
        );
        expect(rows).toEqual([{ ssl: true }]);
        await db.pool.query("SELECT pg_notify('funnel_events', '')");
        await announced;
      } finally {
        await listening.close();
      }
    });
  });

  const refused: readonly (readonly [string, () => string, RegExp])[] = [
    [
      'a wrong password',
      () =>
        server.url(
          { sslmode: 'verify-full', sslrootcert: server.certificates.authority },
          `not ${server.secret}`,
        ),
      /refuses the user or the password: check both in DATABASE_URL/,
    ],
    [
      'no TLS',
      () => server.url({}),
      /it may demand TLS \(add \?sslmode=verify-full to DATABASE_URL\).*no encryption/,
    ],
    [
      'an authority that signed nothing here',
      () => server.url({ sslmode: 'verify-full', sslrootcert: server.certificates.stranger }),
      /does not know the authority of its certificate: name the file .* \(sslrootcert=/,
    ],
    [
      'an address that names no authority',
      () => server.url({ sslmode: 'verify-full' }),
      /does not know the authority of its certificate: name the file .* \(sslrootcert=/,
    ],
    [
      'the usual authorities',
      () => server.url({ sslmode: 'verify-full', sslrootcert: 'system' }),
      /does not know the authority of its certificate/,
    ],
    [
      'a missing file',
      () => server.url({ sslmode: 'verify-full', sslrootcert: '/nowhere/ca.crt' }),
      /Expected the file of sslrootcert in DATABASE_URL at "\/nowhere\/ca\.crt".*ENOENT/,
    ],
    [
      'an unknown mode',
      () => server.url({ sslmode: 'verify_full' }),
      /Expected sslmode in DATABASE_URL to be one of verify-full, .*got "verify_full"/,
    ],
    [
      'a text that is not an address',
      () => server.url({}).replace('localhost:', 'local host:'),
      /Expected DATABASE_URL to be postgres:\/\/user:password@host/,
    ],
    [
      'a missing database',
      () => verified.replace('/funnel?', '/funnels?'),
      /has no such database: create it, or check the name/,
    ],
  ];

  it.each(refused)('refuses %s; the error says what to do and contains no secret', async (_, url, words) => {
    const error = await opened(url(), pingDatabase).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringMatching(words) });
    const same = await migrate(url()).catch((thrown: unknown) => thrown);
    expect(same).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringMatching(words) });
    for (const told of [inspect(error, { depth: 5 }), inspect(same, { depth: 5 })])
      for (const form of [server.secret, encodeURIComponent(server.secret)]) expect(told).not.toContain(form);
  });

  it('is refused by a server without TLS; the error says what to do', async () => {
    const database = await createTestDatabase({ migrated: false });
    const error = await opened(`${database.url}?sslmode=verify-full`, pingDatabase)
      .catch((thrown: unknown) => thrown)
      .finally(() => database.drop());
    expect(error).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/does not support TLS: turn TLS on in the server/),
    });
  });

  it('a certificate without the IP address is refused under the address, and accepted under the name', async () => {
    await server.rename('DNS:localhost,DNS:127.0.0.1'); // an IP address that is written as a DNS name does not count
    await vi.waitFor(
      () =>
        expect(opened(byAddress(verified), pingDatabase)).rejects.toMatchObject({
          code: 'UNAVAILABLE',
          message: expect.stringMatching(
            /certificate is for another name: .*names the address as IP in its subjectAltName.*127\.0\.0\.1 is not in the cert's list/,
          ),
        }),
      30_000,
    );
    await opened(verified, pingDatabase);
  });

  it('a certificate for another name is refused; the error says what to do', async () => {
    await server.rename('DNS:elsewhere');
    await vi.waitFor(
      () =>
        expect(opened(verified, pingDatabase)).rejects.toMatchObject({
          code: 'UNAVAILABLE',
          message: expect.stringMatching(/certificate is for another name: use that name in DATABASE_URL/),
        }),
      30_000,
    );
  });
});
