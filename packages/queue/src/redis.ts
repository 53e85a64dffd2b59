/** BullMQ over Redis through ioredis: for more than one machine. Redis must run with `maxmemory-policy noeviction`. */
import { readFileSync } from 'node:fs';
import { Queue, Worker } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import { failListener, type Notification, overBullmq, startListener, workerOptions } from './bullmq-queue.ts';
import type { StageQueue, StageQueueOptions } from './stage-queue.ts';

/** `rediss://user:password@host:port?sslrootcert=…`: what the driver reads of an address, and the files that it does not. */
/** Named as PostgreSQL's addresses name them; the option of Node's TLS that each becomes. */
const files = { sslrootcert: 'ca', sslcert: 'cert', sslkey: 'key' } as const;

const read = (name: string, file: string): Buffer => {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // thrown by fs
    throw new TypeError(
      `Expected the file of ${name} in REDIS_URL at ${JSON.stringify(file)}, but it cannot be read (${code})`,
    );
  }
};

type RedisAddress = { readonly url: string; readonly options: Pick<RedisOptions, 'tls'> };

/** Throws a TypeError when a file is not there, or named where there is no TLS to use it. */
const redisAddress = (address: string): RedisAddress => {
  const url = new URL(address);
  const tls: Record<string, Buffer> = {};
  for (const [name, option] of Object.entries(files)) {
    const file = url.searchParams.get(name);
    if (file === null) continue;
    if (url.protocol !== 'rediss:')
      throw new TypeError(
        `Expected rediss:// in REDIS_URL, which names a ${name}, but got ${url.protocol}//`,
      );
    tls[option] = read(name, file);
    url.searchParams.delete(name);
  }
  return { url: url.href, options: Object.keys(tls).length > 0 ? { tls } : {} };
};

/**
 * What broke a connection, in words that say what to do. The driver's own errors carry the command that failed, which for a refused
 * password is the password: they go nowhere.
 */
const words: readonly (readonly [RegExp, string])[] = [
  [/^WRONGPASS|invalid password/, 'it refuses the user or the password: check both in REDIS_URL'],
  [
    /^NOAUTH|Authentication required/,
    'it wants a password: put it into REDIS_URL (redis://user:password@host)',
  ],
  [/^NOPERM/, 'the user of REDIS_URL may not do what a queue does: give it ~* &* +@all'],
  [
    /self-signed certificate|unable to (verify|get)|certificate signature failure/,
    'its certificate is of an authority that is not known here: name the file of that authority in REDIS_URL (rediss://…?sslrootcert=/path/to/ca.crt)',
  ],
  [
    /does not match certificate's altnames/,
    'its certificate is for another name: use that name in REDIS_URL',
  ],
  [/certificate has expired|not yet valid/, 'its certificate is not valid now: renew it, or check the clock'],
  [
    /wrong version number|packet length too long|EPROTO|before secure TLS connection/,
    'it does not speak TLS on this port: use redis:// in REDIS_URL, or its TLS port',
  ],
  [
    /ECONNRESET|EPIPE|Connection is closed/,
    'it closed the connection: it may have ended; a port that wants TLS does so to redis:// (then use rediss:// in REDIS_URL)',
  ],
];

/** A new error: its message holds neither user nor password, and it has no cause. */
const redisFault = ({ message }: Error): Error => {
  const advice = words.find(([pattern]) => pattern.test(message))?.[1];
  return new Error(advice ? `Redis answers, but ${advice}` : `Redis cannot be reached: ${message}`);
};

/** The driver does not reconnect: see keep-open.ts. All times in milliseconds. */
const common: RedisOptions = { retryStrategy: () => null, disconnectTimeout: 200, keepAlive: 10_000 };
/** Whoever rings is told at once that Redis is away: the stage is safe in the database. */
const producer: RedisOptions = {
  ...common,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  socketTimeout: 10_000,
};
/** BullMQ's blocking commands last 5 s. */
const consumer: RedisOptions = { ...common, maxRetriesPerRequest: null, socketTimeout: 15_000 };

export const openRedisQueue = async ({
  url: address,
  name = 'funnel-stages',
  onError = () => {},
}: StageQueueOptions): Promise<StageQueue> => {
  const { url, options } = redisAddress(address);

  /** Connections of one part (BullMQ duplicates the first one for its blocking commands), and what cuts all of them. */
  const connections = (role: RedisOptions, onFault: (error: Error) => void) => {
    const clients: Redis[] = [];
    const connect = (override: Partial<RedisOptions> = {}): Redis => {
      const client = new Redis(url, { ...role, ...options, ...override })
        .on('error', onFault)
        .on('end', () => onFault(new Error('Connection is closed')));
      client.duplicate = connect;
      clients.push(client);
      return client;
    };
    return {
      connection: connect(),
      cut: () => {
        for (const client of clients) client.disconnect();
      },
    };
  };

  return overBullmq(
    {
      openNotifications: (fail) => {
        const { connection, cut } = connections(producer, fail);
        const notifications = new Queue<Notification>(name, { connection, skipMetasUpdate: true }).on(
          'error',
          fail,
        );
        return {
          value: notifications,
          ready: notifications.waitUntilReady(),
          close: () => notifications.close(),
          cut,
        };
      },
      openListener: (onNotification, concurrency) => (fail) => {
        let onFault = fail;
        const { connection, cut } = connections(consumer, (error) => onFault(error));
        const listener = new Worker<Notification>(name, (job) => onNotification(job.data), {
          ...workerOptions,
          connection,
          concurrency,
        });
        onFault = failListener(listener, fail);
        listener.on('error', onFault);
        return {
          value: listener,
          ready: startListener(listener, onFault),
          close: () => listener.close(),
          cut,
        };
      },
      describe: redisFault,
      explain: redisFault,
    },
    onError,
  );
};
