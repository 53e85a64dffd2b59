/** BullMQ over Redis through ioredis: for more than one machine. Redis must run with `maxmemory-policy noeviction`. */
import { readFileSync } from 'node:fs';
import { Queue, Worker } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import {
  closeOnError,
  type Notification,
  openBullmqQueue,
  partOf,
  startWorker,
  workerOptions,
} from './bullmq-queue.ts';
import type { StageQueue, StageQueueOptions } from './stage-queue.ts';

/**
 * Parameters of an address that name a file, as in PostgreSQL's addresses. Each maps to the option of Node's TLS for the content of the
 * file.
 */
const files = { sslrootcert: 'ca', sslcert: 'cert', sslkey: 'key' } as const;

const readTlsFile = (name: string, file: string): Buffer => {
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

/**
 * Reads an address such as `rediss://user:password@host:port?sslrootcert=…`; the driver itself does not know these parameters. Throws a
 * TypeError when a file is missing, or when an address without TLS names one.
 */
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
    tls[option] = readTlsFile(name, file);
    url.searchParams.delete(name);
  }
  return { url: url.href, options: Object.keys(tls).length > 0 ? { tls } : {} };
};

/** Advice to the user for errors of the driver. */
const advices: readonly (readonly [RegExp, string])[] = [
  [/^WRONGPASS|invalid password/, 'it refuses the user or the password: check both in REDIS_URL'],
  [
    /^NOAUTH|Authentication required/,
    'it demands a password: write the password into REDIS_URL (redis://user:password@host)',
  ],
  [/^NOPERM/, 'the user of REDIS_URL lacks permissions that a queue needs: give the user ~* &* +@all'],
  [
    /self-signed certificate|unable to (verify|get)|certificate signature failure/,
    'this machine does not know the authority of its certificate: name the file of the authority in REDIS_URL (rediss://…?sslrootcert=/path/to/ca.crt)',
  ],
  [
    /does not match certificate's altnames/,
    'its certificate is for another name: use that name in REDIS_URL',
  ],
  [/certificate has expired|not yet valid/, 'its certificate is not valid now: renew it, or check the clock'],
  [
    /wrong version number|packet length too long|EPROTO|before secure TLS connection/,
    'it does not support TLS on this port: use redis:// in REDIS_URL, or the port for TLS',
  ],
  [
    /^OOM|used memory > 'maxmemory'/,
    'it is full: raise its maxmemory, or delete what other programs keep there. Workers find stages by asking the database',
  ],
  [
    /^Missing (key|lock) for job/,
    'it has lost a notification that was being delivered: somebody emptied it (FLUSHALL), it deletes keys (maxmemory-policy), or it restarted without its data. No work is lost',
  ],
  [
    /ECONNRESET|EPIPE|Connection is closed/,
    'it closed the connection: it has stopped, or its port accepts only TLS (then use rediss:// in REDIS_URL)',
  ],
];

/**
 * Turns an error of the driver into the error that users see. The driver's error contains the failed command, which may contain the
 * password. So the new error has no cause, and its message contains neither user nor password.
 */
const redisFault = ({ message }: Error): Error => {
  const advice = advices.find(([pattern]) => pattern.test(message))?.[1];
  return new Error(advice ? `Redis answers, but ${advice}` : `Redis cannot be reached: ${message}`);
};

/** `name:value` lines of Redis's INFO. */
const fieldOf = (info: string, name: string): string | undefined =>
  new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];

/** What the memory section of INFO says about lost notifications. */
export const memoryFindings = (info: string): readonly string[] => {
  const policy = fieldOf(info, 'maxmemory_policy') ?? 'noeviction';
  const [used, limit] = [Number(fieldOf(info, 'used_memory')), Number(fieldOf(info, 'maxmemory'))];
  const evicts =
    policy === 'noeviction'
      ? []
      : [
          `Redis may delete notifications when its memory is full (maxmemory-policy ${policy}): set maxmemory-policy noeviction`,
        ];
  const full =
    limit > 0 && used >= limit
      ? [
          `Redis is full (${used} of ${limit} bytes): raise maxmemory, or delete what other programs keep there. Until then workers find stages by asking the database`,
        ]
      : [];
  return [...evicts, ...full];
};

/** The driver does not reconnect: see keep-open.ts. All times in milliseconds. */
const common: RedisOptions = { retryStrategy: () => null, disconnectTimeout: 200, keepAlive: 10_000 };
/** Fails at once while Redis cannot be reached: the outbox in the database keeps the stage. */
const producer: RedisOptions = {
  ...common,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  socketTimeout: 10_000,
};
/** BullMQ's blocking commands last 5 s. */
const consumer: RedisOptions = { ...common, maxRetriesPerRequest: null, socketTimeout: 15_000 };

/**
 * BullMQ asks for `info`, and prints a bare line about the policy between the JSON lines of the log. `findings` says the same where people look
 * for it. The driver asks with a callback, and gets the whole answer.
 */
const hidePolicy = (client: Redis): void => {
  const ask = client.info.bind(client);
  const info = async (): Promise<string> => (await ask()).replace(/^maxmemory_policy:/m, 'policy:');
  Object.assign(client, {
    info: (...given: Parameters<typeof ask>) => (given.length > 0 ? ask(...given) : info()),
  });
};

export const openRedisQueue = async ({
  url: address,
  name = 'funnel-stages',
  onError = () => {},
}: StageQueueOptions): Promise<StageQueue> => {
  const { url, options } = redisAddress(address);

  /** The connections of one part (BullMQ duplicates the first one for its blocking commands); `cut` ends all of them. */
  const connections = (role: RedisOptions, onFault: (error: Error) => void) => {
    const clients: Redis[] = [];
    const connect = (override: Partial<RedisOptions> = {}): Redis => {
      const client = new Redis(url, { ...role, ...options, ...override })
        .on('error', onFault)
        .on('end', () => onFault(new Error('Connection is closed')));
      client.duplicate = connect;
      hidePolicy(client);
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

  /** The connection of the open queue. */
  let sender: Redis | null = null as Redis | null; // assigned in a callback, which the compiler does not follow

  return openBullmqQueue(
    {
      openQueue: (fail) => {
        const { connection, cut } = connections(producer, fail);
        sender = connection;
        const queue = new Queue<Notification>(name, { connection, skipMetasUpdate: true }).on('error', fail);
        return partOf(queue, queue.waitUntilReady(), cut);
      },
      openListener: (onNotification, concurrency) => (fail) => {
        let onFault = fail;
        const { connection, cut } = connections(consumer, (error) => onFault(error));
        const worker = new Worker<Notification>(name, (job) => onNotification(job.data), {
          ...workerOptions,
          connection,
          concurrency,
        });
        onFault = closeOnError(worker, fail);
        worker.on('error', onFault);
        return partOf(worker, startWorker(worker, onFault), cut);
      },
      look: async () => memoryFindings(String(await sender?.call('info', 'memory'))),
      describe: redisFault,
      explain: redisFault,
    },
    onError,
  );
};
