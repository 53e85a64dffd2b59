import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createQueryCache } from '../../src/data/query-cache.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const setup = (took = 0) => {
  const state = { visible: true, calls: 0, fault: null as Error | null };
  const cache = createQueryCache({ visible: () => state.visible, now: () => Date.now() });
  const query = {
    key: 'q',
    load: async () => {
      state.calls += 1;
      const n = state.calls;
      if (took > 0) await new Promise((resolve) => setTimeout(resolve, took));
      if (state.fault) throw state.fault;
      return n;
    },
  };
  const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
  return { state, cache, query, settle };
};

describe('the cache of answers', () => {
  it('fetches when first watched, and tells', async () => {
    const { cache, query, settle } = setup();
    const told = vi.fn();
    cache.watch(query, told);
    expect(cache.read('q')).toMatchObject({ loading: true, data: undefined });
    await settle();
    expect(cache.read('q')).toEqual({ data: 1, error: undefined, loading: false });
    expect(told).toHaveBeenCalled();
  });

  it('answers a storm of events with one fetch', async () => {
    const { state, cache, query, settle } = setup();
    cache.watch(query, () => undefined);
    await settle();
    for (let i = 0; i < 100; i++) cache.invalidate((key) => key === 'q');
    await settle(500);
    expect(state.calls).toBe(2);
  });

  it('leaves a slow server five times as long in peace as it takes to answer', async () => {
    const { state, cache, query, settle } = setup(1000);
    cache.watch(query, () => undefined);
    await settle(1000);
    cache.invalidate(() => true);
    await settle(3900); // 4.9 s after the first fetch began
    expect(state.calls).toBe(1);
    await settle(200);
    expect(state.calls).toBe(2);
  });

  it('fetches once more when something changed while it fetched', async () => {
    const { state, cache, query, settle } = setup(100);
    cache.watch(query, () => undefined);
    await settle(50);
    cache.invalidate(() => true);
    await settle(2000);
    expect(state.calls).toBe(2);
  });

  it('fetches nothing for a hidden page, and what went stale when it is seen again', async () => {
    const { state, cache, query, settle } = setup();
    cache.watch(query, () => undefined);
    await settle();
    state.visible = false;
    cache.invalidate(() => true);
    await settle(60_000);
    expect(state.calls).toBe(1);
    state.visible = true;
    cache.wake();
    await settle(1);
    expect(state.calls).toBe(2);
  });

  it('fetches nothing for what nobody watches, but knows that it is stale', async () => {
    const { state, cache, query, settle } = setup();
    const stop = cache.watch(query, () => undefined);
    await settle();
    stop();
    cache.invalidate(() => true);
    await settle(60_000);
    expect(state.calls).toBe(1);
    cache.watch(query, () => undefined);
    await settle(1000);
    expect(state.calls).toBe(2);
  });

  it('keeps what it had when a later fetch fails, beside the fault', async () => {
    const { state, cache, query, settle } = setup();
    cache.watch(query, () => undefined);
    await settle();
    state.fault = new Error('away');
    cache.invalidate(() => true);
    await settle(1000);
    expect(cache.read('q')).toEqual({ data: 1, error: state.fault, loading: false });
  });
});
