/** Addresses with TLS and a password, on servers that demand both. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { hasOpenssl, makeCertificates, startSecureServer } from '@funnel/db/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createStageQueue } from '../src/stage-queue.ts';
import { hasRedis, startRedis } from './redis-server.ts';

const missing = [...(hasOpenssl ? [] : ['openssl']), ...(hasRedis ? [] : ['redis-server'])];
if (missing.length > 0) {
  const how = `${missing.join(' and ')} not installed, so TLS to the queue is not tested in full (Debian: apt-get install openssl redis-server)`;
  if (process.env.FUNNEL_REQUIRE_ALL) throw new Error(how);
  console.warn(how);
}

/** Its colon, at sign and slash must be escaped in an address. It has no blank, because the user file of Redis allows none. */
const secret = 'p@ss:w/rd?#%';

type Server = {
  readonly secret: string;
  readonly url: (authority: 'own' | 'stranger' | 'none', password?: string) => string;
  readonly plain: string;
  readonly stop: () => Promise<void>;
};

const openRedis = async (): Promise<Server> => {
  const dir = await mkdtemp(path.join(tmpdir(), 'funnel-redis-tls-'));
  const certificates = makeCertificates(dir);
  const { authority, stranger, certificate, key } = certificates;
  const users = path.join(dir, 'users.acl');
  await writeFile(users, `user default off\nuser scientist on >${secret} ~* &* +@all\n`);
  const server = await startRedis({
    tls: true,
    args: [
      ...['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', authority],
      ...['--tls-auth-clients', 'no', '--aclfile', users],
    ],
  });
  const user = (password: string): string =>
    `scientist:${encodeURIComponent(password)}@localhost:${server.port}`;
  const named = { own: `?sslrootcert=${authority}`, stranger: `?sslrootcert=${stranger}`, none: '' };
  return {
    secret,
    url: (by, password = secret) => `rediss://${user(password)}${named[by]}`,
    plain: `redis://${user(secret)}`,
    stop: async () => {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
};

const openPostgres = async (): Promise<Server> => {
  const server = await startSecureServer();
  const { authority, stranger } = server.certificates;
  const named = { own: { sslrootcert: authority }, stranger: { sslrootcert: stranger }, none: {} };
  return {
    secret: server.secret,
    url: (by, password) => server.url({ sslmode: 'verify-full', ...named[by] }, password),
    plain: server.url({}),
    stop: server.stop,
  };
};

const backends = [
  ...(hasOpenssl ? [['postgres', openPostgres] as const] : []),
  ...(hasOpenssl && hasRedis ? [['redis', openRedis] as const] : []),
];

/** The errors of a queue at this address: of a ping, of a notification, and all reported ones. */
const faultsOf = async (url: string) => {
  const received: unknown[] = [];
  const queue = await createStageQueue({ url, onError: (error) => void received.push(error) });
  const asked = await queue.ping().catch((error: unknown) => error);
  const notified = await queue.notify(['a'.repeat(64)]).catch((error: unknown) => error);
  await queue.close();
  return { asked, notified, all: inspect([asked, notified, received], { depth: 6, showHidden: true }) };
};

describe.each(backends)('the queue on %s with TLS and password', (name, openServer) => {
  let server: Server;
  beforeAll(async () => {
    server = await openServer();
  });
  afterAll(() => server?.stop());

  it('sends and receives', async () => {
    const [publisher, listener] = await Promise.all(
      [1, 2].map(() => createStageQueue({ url: server.url('own'), name: 'tls' })),
    );
    const received: string[] = [];
    await listener!.listen(async (id) => void received.push(id), { concurrency: 2 });
    await publisher!.notify(['a'.repeat(64)]);
    await vi.waitFor(() => expect(received).toEqual(['a'.repeat(64)]), { timeout: 10_000 });
    await Promise.all([publisher!.close(), listener!.close()]);
  });

  it('accepts an IP address that is in its certificate', async () => {
    const queue = await createStageQueue({ url: server.url('own').replace('@localhost:', '@127.0.0.1:') });
    await queue.ping().finally(() => queue.close());
  });

  const words = {
    redis: {
      password: /refuses the user or the password: check both in REDIS_URL/,
      authority: /does not know the authority of its certificate: .*rediss:\/\/…\?sslrootcert=/,
      plain: /closed the connection: .*rediss:\/\//,
    },
    postgres: {
      password: /password authentication failed for user "scientist"/,
      authority: /self-signed certificate|unable to verify/,
      plain: /no pg_hba.conf entry .* no encryption/,
    },
  }[name];

  it.each([
    ['a wrong password', () => server.url('own', 'not the secret'), words.password],
    [
      'an authority that did not sign the server’s certificate',
      () => server.url('stranger'),
      words.authority,
    ],
    ['an address without an authority', () => server.url('none'), words.authority],
    ['plain text', () => server.plain, words.plain],
  ] as const)('%s is refused, and no secret is shown', async (_, url, expected) => {
    const { asked, notified, all } = await faultsOf(url());
    for (const error of [asked, notified]) {
      expect(error).toBeInstanceOf(Error);
      expect(String(error)).toMatch(expected);
    }
    for (const form of [
      server.secret,
      encodeURIComponent(server.secret),
      'not the secret',
      'not%20the%20secret',
    ])
      expect(all).not.toContain(form);
  });
});

describe('an address', () => {
  it.each([
    [
      'a missing file',
      'rediss://u:hidden@h?sslrootcert=/nowhere/ca.crt',
      /sslrootcert in REDIS_URL at "\/nowhere/,
    ],
    [
      'a file but no TLS',
      'redis://u:hidden@h?sslrootcert=/nowhere/ca.crt',
      /Expected rediss:\/\/ in REDIS_URL/,
    ],
    ['no address at all', 'redis://u:hidden@a host', /Expected a queue address of redis:/],
  ])('with %s is refused, without its password', async (_, url, words) => {
    const error = await createStageQueue({ url }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toMatch(words);
    expect(inspect(error, { showHidden: true })).not.toContain('hidden');
  });
});
