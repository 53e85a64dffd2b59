/** Redis with a limit on its memory: it deletes keys, or refuses writes. */
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createStageQueue } from '../src/stage-queue.ts';
import { hasRedis, startRedis } from './redis-server.ts';

if (!hasRedis && process.env.FUNNEL_REQUIRE_ALL) throw new Error('redis-server is not installed');

const openQueue = async (args: readonly string[]) => {
  const server = await startRedis({ args });
  const redis = new Redis(server.url);
  const faults: string[] = [];
  const queue = await createStageQueue({ url: server.url, onError: ({ message }) => faults.push(message) });
  onTestFinished(async () => {
    await queue.close();
    redis.disconnect();
    await server.stop();
  });
  return { queue, redis, faults };
};

describe.runIf(hasRedis)('Redis', () => {
  test.each(['allkeys-lru', 'volatile-ttl'])(
    'that evicts keys (%s) is a finding, which names the setting, and nothing is printed',
    async (policy) => {
      const print = vi.spyOn(console, 'warn').mockImplementation(() => {});
      onTestFinished(() => print.mockRestore());
      const { queue } = await openQueue(['--maxmemory', '50mb', '--maxmemory-policy', policy]);
      expect(await queue.findings()).toEqual([
        `Redis may delete notifications when its memory is full (maxmemory-policy ${policy}): set maxmemory-policy noeviction`,
      ]);
      expect(print).not.toHaveBeenCalled();
    },
  );

  test('without a limit and with noeviction has no finding', async () => {
    const { queue } = await openQueue([]);
    expect(await queue.findings()).toEqual([]);
  });

  test('that is full is reached, says so in words, and takes notifications again when there is room', async () => {
    const { queue, redis, faults } = await openQueue(['--maxmemory-policy', 'noeviction']);
    await redis.set('of another program', 'x'.repeat(2_000_000));
    await redis.config('SET', 'maxmemory', '1500000');
    await expect(queue.notify(['a'.repeat(64)])).rejects.toThrow(
      /^Redis answers, but it is full: raise its maxmemory/,
    );
    expect(await queue.findings()).toEqual([
      expect.stringMatching(/^Redis is full \(\d+ of 1500000 bytes\)/),
    ]);
    await queue.ping();
    expect(faults.filter((words) => words.includes('cannot be reached'))).toEqual([]);
    await redis.del('of another program');
    await redis.config('SET', 'maxmemory', '0');
    await vi.waitFor(() => queue.notify(['b'.repeat(64)]), { timeout: 30_000, interval: 50 });
    expect(await queue.findings()).toEqual([]);
  });

  test('that is emptied while notifications are delivered says so once, without an id, and delivers later ones', async () => {
    const { queue, redis, faults } = await openQueue([]);
    const received: string[] = [];
    const release: (() => void)[] = [];
    await queue.listen(
      async (id) => {
        received.push(id);
        await new Promise<void>((resolve) => release.push(resolve));
      },
      { concurrency: 4 },
    );
    const ids = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(64));
    await queue.notify(ids);
    await vi.waitFor(() => expect(received).toHaveLength(4), { timeout: 30_000 });
    await redis.flushall();
    for (const done of release.splice(0)) done();
    await vi.waitFor(
      () => expect(faults).toEqual([expect.stringMatching(/^Redis answers, but it has lost a notification/)]),
      {
        timeout: 30_000,
      },
    );
    expect(faults.join()).not.toMatch(/[a-d]{64}/);
    await vi.waitFor(
      async () => {
        await queue.notify(['e'.repeat(64)]);
        expect(received).toContain('e'.repeat(64));
      },
      { timeout: 30_000, interval: 100 },
    );
    for (const done of release) done();
  });
});
