/**
 * A PostgreSQL that accepts the user `scientist` only with TLS and a password. Its certificate comes from its own authority, made with
 * openssl.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findAccount } from '../embedded/prepare.ts';
import { startEmbedded } from '../embedded/start-embedded.ts';
import { administer } from './test-database.ts';

/** Whether this machine can make certificates. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** Warns that `what` is not tested when there is no openssl. With FUNNEL_REQUIRE_ALL it throws instead. */
export const warnWithoutOpenssl = (what: string): void => {
  if (hasOpenssl) return;
  const how = `openssl is not installed, so ${what} is not tested (Debian: apt-get install openssl)`;
  if (process.env.FUNNEL_REQUIRE_ALL) throw new Error(how);
  console.warn(how);
};

export type Certificates = {
  /** The certificate of the authority that signed the server's certificate. */
  readonly authority: string;
  /** The certificate of an authority that signed nothing. */
  readonly stranger: string;
  /** The server's certificate, for localhost and 127.0.0.1. */
  readonly certificate: string;
  readonly key: string;
};

const makeAuthority = (
  folder: string,
  name: string,
): { readonly certificate: string; readonly key: string } => {
  const [key, certificate] = [path.join(folder, `${name}.key`), path.join(folder, `${name}.crt`)];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key];
  const args = ['req', '-x509', ...newKey, '-out', certificate, '-days', '2', '-subj', `/CN=${name}`];
  execFileSync('openssl', args, { stdio: 'pipe' });
  return { certificate, key };
};

/** A certificate for these names (in openssl's notation), signed by the authority of this folder. */
const certify = (folder: string, names: string): { readonly certificate: string; readonly key: string } => {
  const file = (name: string): string => path.join(folder, name);
  const [key, request, certificate] = [file('server.key'), file('server.csr'), file('server.crt')];
  writeFileSync(file('names'), `subjectAltName=${names}\n`);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key];
  execFileSync('openssl', ['req', ...newKey, '-out', request, '-subj', '/CN=server'], { stdio: 'pipe' });
  const signer = ['-CA', file('authority.crt'), '-CAkey', file('authority.key'), '-CAcreateserial'];
  const how = ['-days', '2', '-extfile', file('names'), '-out', certificate];
  execFileSync('openssl', ['x509', '-req', '-in', request, ...signer, ...how], { stdio: 'pipe' });
  return { certificate, key };
};

export const makeCertificates = (folder: string): Certificates => {
  const authority = makeAuthority(folder, 'authority');
  const stranger = makeAuthority(folder, 'stranger');
  const { certificate, key } = certify(folder, 'DNS:localhost,IP:127.0.0.1');
  return { authority: authority.certificate, stranger: stranger.certificate, certificate, key };
};

/** A password with every character that an address must write as %XX. */
const secret = 'p@ss:w/rd?#% of 1';

export type SecureServer = {
  readonly certificates: Certificates;
  /** The password, which no message and no log may contain in any form. */
  readonly secret: string;
  /** The address for the user who must use TLS; `parameters` follow the question mark. */
  readonly url: (parameters: Readonly<Record<string, string>>, password?: string) => string;
  /** The same database without TLS, as its superuser. */
  readonly plain: string;
  /** Gives the server a certificate for these names, in openssl's notation. */
  readonly rename: (names: string) => Promise<void>;
  readonly stop: () => Promise<void>;
};

export const startSecureServer = async (): Promise<SecureServer> => {
  const home = await mkdtemp(path.join(tmpdir(), 'funnel-tls-'));
  await chmod(home, 0o711); // the user that PostgreSQL runs as must be able to enter it
  const certificates = makeCertificates(home);
  const { uid, gid } = await findAccount();
  const handOver = (...files: readonly string[]): void => {
    chmodSync(certificates.key, 0o600);
    if (uid === undefined || gid === undefined) return;
    for (const file of files) chownSync(file, uid, gid);
  };
  const rules = path.join(home, 'hba.conf');
  writeFileSync(
    rules,
    'host all funnel 127.0.0.1/32 scram-sha-256\nhostssl all scientist 127.0.0.1/32 scram-sha-256\n',
  );
  handOver(certificates.key, certificates.certificate, rules);
  const tls = { ssl: 'on', ssl_cert_file: certificates.certificate, ssl_key_file: certificates.key };
  const server = await startEmbedded({
    dir: path.join(home, 'pgdata'),
    settings: { fsync: 'off', hba_file: rules, ...tls },
  });
  await administer(server.url, `CREATE ROLE scientist LOGIN SUPERUSER PASSWORD '${secret}'`);
  return {
    certificates,
    secret,
    plain: server.url,
    url: (parameters, password = secret) => {
      const user = `scientist:${encodeURIComponent(password)}`;
      return `postgres://${user}@localhost:${server.port}/funnel?${new URLSearchParams(parameters)}`;
    },
    rename: async (names) => {
      certify(home, names);
      handOver(certificates.key, certificates.certificate);
      await administer(server.url, 'SELECT pg_reload_conf()');
    },
    stop: async () => {
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
};
