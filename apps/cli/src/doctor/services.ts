/** Whether database and queue can be used. Nothing here says a password: what it prints is pasted into questions. */
import { createDb, pingDatabase, queueAddress } from '@funnel/db';
import { createStageQueue } from '@funnel/queue';
import type { Env } from '../env.ts';
import type { Finding } from './finding.ts';

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** An address without its passwords, wherever they stand in it. */
const shown = (address: string): string => {
  if (!URL.canParse(address)) return 'an address that cannot be read';
  const url = new URL(address);
  if (url.password !== '') url.password = '***';
  if (url.searchParams.has('password')) url.searchParams.set('password', '***');
  return url.href;
};

type Addresses = Pick<Env, 'DATABASE_URL' | 'REDIS_URL'>;

const versionOf = async (address: string): Promise<string> => {
  const db = createDb(address, { max: 1, name: 'funnel doctor' });
  try {
    await pingDatabase(db);
    const { rows } = await db.pool.query<{ server_version: string }>('SHOW server_version');
    return rows[0]?.server_version ?? 'of no version';
  } finally {
    await db.close();
  }
};

export const examineDatabase = async ({ DATABASE_URL }: Addresses): Promise<Finding> => {
  const what = 'PostgreSQL';
  if (!DATABASE_URL)
    return { what, verdict: 'ok', detail: 'embedded (from npm); DATABASE_URL names another' };
  try {
    const version = await versionOf(DATABASE_URL);
    return { what, verdict: 'ok', detail: `${version} at ${shown(DATABASE_URL)}` };
  } catch (error) {
    return {
      what,
      verdict: 'fault',
      detail: `${shown(DATABASE_URL)} cannot be used: ${reason(error)}`,
      hint: 'Check DATABASE_URL, or leave it out for the embedded one.',
    };
  }
};

export const examineQueue = async ({ REDIS_URL }: Addresses): Promise<Finding> => {
  const what = 'Queue';
  if (!REDIS_URL) return { what, verdict: 'ok', detail: 'in the database; REDIS_URL names a Redis' };
  try {
    const queue = await createStageQueue(queueAddress(REDIS_URL, REDIS_URL));
    await queue.ping().finally(() => queue.close());
    return {
      what,
      verdict: 'ok',
      detail: `${REDIS_URL.startsWith('redis') ? 'Redis' : 'PostgreSQL'} at ${shown(REDIS_URL)}`,
    };
  } catch (error) {
    return {
      what,
      verdict: 'fault',
      detail: `${shown(REDIS_URL)} cannot be used: ${reason(error)}`,
      hint: 'Check REDIS_URL, or leave it out to queue in the database.',
    };
  }
};
