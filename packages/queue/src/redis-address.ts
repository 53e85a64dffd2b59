/** `rediss://user:password@host:port?sslrootcert=…`: what the driver reads of an address, and the files that it does not. */
import { readFileSync } from 'node:fs';
import type { RedisOptions } from 'ioredis';

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

export type RedisAddress = { readonly url: string; readonly options: Pick<RedisOptions, 'tls'> };

/** Throws a TypeError when a file is not there, or named where there is no TLS to use it. */
export const redisAddress = (address: string): RedisAddress => {
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
