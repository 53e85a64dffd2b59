/** The checks of `funnel doctor`. They change nothing. They print no password, because users paste the output into questions. */
import os from 'node:os';
import { AppError, datasetNames, datasets, errors, formatBytes, plural } from '@funnel/contracts';
import { createDb, listFailingBatches, pendingMigrations, pingDatabase, queueAddress } from '@funnel/db';
import { BackendUnavailable, backendNames, findDataset, openBackend } from '@funnel/engine';
import { createStageQueue } from '@funnel/queue';
import { defaultSlots } from '@funnel/worker';
import { dataFoldersOf, type Env } from './env.ts';

/** `note`: not a fault, but useful to know. */
export type Finding = {
  readonly what: string;
  readonly verdict: 'ok' | 'note' | 'fault';
  readonly detail: string;
  readonly hint?: string;
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The address without its password, whether the password stands before the host or in a parameter. */
const withoutPassword = (address: string): string => {
  if (!URL.canParse(address)) return 'an address that cannot be read';
  const url = new URL(address);
  if (url.password !== '') url.password = '***';
  if (url.searchParams.has('password')) url.searchParams.set('password', '***');
  return url.href;
};

type Addresses = Pick<Env, 'DATABASE_URL' | 'DATABASE_DIRECT_URL' | 'REDIS_URL'>;

/** The version of the server, and whether a pooler answers at its address. */
const lookAt = async (address: string): Promise<{ readonly version: string; readonly pooled: boolean }> => {
  const db = createDb(address, { max: 1, name: 'funnel doctor' });
  try {
    await pingDatabase(db); // explains errors
    const client = await db.connect();
    try {
      const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
      return { version: rows[0]?.server_version ?? 'unknown version', pooled: await db.isPooled(client) };
    } finally {
      client.release();
    }
  } finally {
    await db.close();
  }
};

export const examineDatabase = async ({ DATABASE_URL, DATABASE_DIRECT_URL }: Addresses): Promise<Finding> => {
  const what = 'PostgreSQL';
  if (!DATABASE_URL)
    return { what, verdict: 'ok', detail: 'embedded (from npm); set DATABASE_URL to use another' };
  try {
    const { version, pooled } = await lookAt(DATABASE_URL);
    const detail = `${version} at ${withoutPassword(DATABASE_URL)}`;
    if (!pooled) return { what, verdict: 'ok', detail };
    if (!DATABASE_DIRECT_URL)
      return {
        what,
        verdict: 'fault',
        detail: `${detail}, through a pooler`,
        hint: 'Write the address of PostgreSQL itself into DATABASE_DIRECT_URL: the API and a queue in the database need it.',
      };
    if ((await lookAt(DATABASE_DIRECT_URL)).pooled)
      return {
        what,
        verdict: 'fault',
        detail: `a pooler answers at DATABASE_DIRECT_URL, ${withoutPassword(DATABASE_DIRECT_URL)}`,
        hint: 'Write the address of PostgreSQL itself into DATABASE_DIRECT_URL.',
      };
    return {
      what,
      verdict: 'ok',
      detail: `${detail}, through a pooler; itself at ${withoutPassword(DATABASE_DIRECT_URL)}`,
    };
  } catch (error) {
    return {
      what,
      verdict: 'fault',
      detail: `${withoutPassword(DATABASE_URL)} cannot be used: ${messageOf(error)}`,
      hint: DATABASE_DIRECT_URL
        ? 'Check DATABASE_URL and DATABASE_DIRECT_URL.'
        : 'Check DATABASE_URL, or leave it out for the embedded one.',
    };
  }
};

/** Nothing for the embedded database, which `up` brings to its version at every start, and for one that cannot be reached. */
export const examineSchema = async ({
  DATABASE_URL,
  DATABASE_DIRECT_URL,
}: Addresses): Promise<readonly Finding[]> => {
  const what = 'Schema';
  if (!DATABASE_URL) return [];
  try {
    const pending = await pendingMigrations(DATABASE_DIRECT_URL ?? DATABASE_URL);
    if (pending.length === 0) return [{ what, verdict: 'ok', detail: 'the database is of this version' }];
    const detail = `the database is older than this version: ${plural(pending.length, 'migration')} to apply (${pending.join(', ')})`;
    return [
      { what, verdict: 'note', detail, hint: 'Run `npx funnel migrate`, or start the API of this version.' },
    ];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code !== 'SCHEMA_MISMATCH') return [];
    return [{ what, verdict: 'fault', detail: error.message, hint: errors.SCHEMA_MISMATCH.hint }];
  }
};

/** Nothing for a database that cannot be read: the findings about the server and the schema say why. */
export const examineBatches = async ({ DATABASE_URL }: Addresses): Promise<readonly Finding[]> => {
  if (!DATABASE_URL) return [];
  const db = createDb(DATABASE_URL, { max: 1, name: 'funnel doctor' });
  try {
    return (await listFailingBatches(db)).map(({ what, subject, failures, error }) => ({
      what: 'Batches',
      verdict: 'fault',
      detail: `the batch "${what}" of ${subject} failed ${plural(failures, 'time')} in a row: ${error}`,
      hint: 'This sweep does not go on until the cause is mended. Funnel tries the batch again at least once an hour.',
    }));
  } catch {
    return [];
  } finally {
    await db.close();
  }
};

export const examineQueue = async ({ REDIS_URL }: Addresses): Promise<Finding> => {
  const what = 'Queue';
  if (!REDIS_URL) return { what, verdict: 'ok', detail: 'in the database; set REDIS_URL to use Redis' };
  try {
    const address = queueAddress(REDIS_URL, { url: REDIS_URL, name: 'REDIS_URL' });
    await address.checkPooler?.();
    const queue = await createStageQueue(address);
    const findings = await queue.findings().finally(() => queue.close());
    const detail = `${REDIS_URL.startsWith('redis') ? 'Redis' : 'PostgreSQL'} at ${withoutPassword(REDIS_URL)}`;
    if (findings.length === 0) return { what, verdict: 'ok', detail };
    return { what, verdict: 'fault', detail, hint: `${findings.join('. ')}.` };
  } catch (error) {
    return {
      what,
      verdict: 'fault',
      detail: `${withoutPassword(REDIS_URL)} cannot be used: ${messageOf(error)}`,
      hint: 'Check REDIS_URL, or leave it out to queue in the database.',
    };
  }
};

const machine = (): Finding[] => [
  { what: 'Node', verdict: 'ok', detail: `${process.version} on ${os.platform()} ${os.arch()}` },
  {
    what: 'Machine',
    verdict: 'ok',
    detail: `${plural(os.availableParallelism(), 'core')}, ${formatBytes(os.totalmem())}: ${plural(defaultSlots(), 'trainer')} by default`,
  },
];

const dataSets = (env: Env): Finding[] =>
  datasetNames.map((name): Finding => {
    const what = `Data: ${name}`;
    if (datasets[name].files.length === 0) return { what, verdict: 'ok', detail: 'generated' };
    const folder = findDataset(name, dataFoldersOf(env));
    if (folder) return { what, verdict: 'ok', detail: folder };
    return {
      what,
      verdict: 'note',
      detail: 'not on this machine',
      hint: `\`npx funnel data get ${name}\`, or set FUNNEL_DATA`,
    };
  });

/** Tries one backend after the other, as a worker does, because tfjs uses one at a time. */
const backends = async (): Promise<Finding[]> => {
  const findings: Finding[] = [];
  for (const name of backendNames) {
    const what = `Backend: ${name}`;
    try {
      const { device, versions } = await openBackend(name, { chosen: false });
      const libraries = Object.entries(versions).map(([library, version]) => `${library} ${version}`);
      findings.push({ what, verdict: 'ok', detail: [device, ...libraries].join(', ') });
    } catch (error) {
      findings.push({
        what,
        verdict: error instanceof BackendUnavailable ? 'note' : 'fault',
        detail: messageOf(error),
      });
    }
  }
  const usable = findings.some(({ verdict }) => verdict === 'ok');
  return usable
    ? findings
    : [...findings, { what: 'Backends', verdict: 'fault', detail: 'none works on this machine' }];
};

export const examine = async (env: Env): Promise<readonly Finding[]> => [
  ...machine(),
  await examineDatabase(env),
  ...(await examineSchema(env)),
  ...(await examineBatches(env)),
  await examineQueue(env),
  ...dataSets(env),
  ...(await backends()),
];
