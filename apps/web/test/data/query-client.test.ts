import { focusManager, QueryObserver } from '@tanstack/react-query';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createQueryClient, createStaleMarker } from '../../src/data/query-client.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  focusManager.setFocused(undefined);
  vi.useRealTimers();
});

const setup = (took = 0) => {
  const state = { calls: 0, fault: null as Error | null };
  const client = createQueryClient();
  const stale = createStaleMarker(client);
  const observer = new QueryObserver(client, {
    queryKey: ['q'],
    queryFn: async () => {
      state.calls += 1;
      const n = state.calls;
      if (took > 0) await new Promise((resolve) => setTimeout(resolve, took));
      if (state.fault) throw state.fault;
      return n;
    },
    meta: { affectedBy: (event) => event.sweepId === 'mine' },
  });
  const watch = () => observer.subscribe(() => undefined);
  const event = (sweepId: string) => stale.markAffected([{ type: 'sweep', sweepId, status: 'running' }]);
  const wait = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
  return { state, stale, observer, watch, event, wait };
};

describe('the cache of answers', () => {
  it('fetches an answer when it is first shown', async () => {
    const { observer, watch, wait } = setup();
    watch();
    expect(observer.getCurrentResult()).toMatchObject({ isLoading: true, data: undefined });
    await wait();
    expect(observer.getCurrentResult()).toMatchObject({ data: 1, error: null, isLoading: false });
  });

  it('fetches again only for events that affect the answer', async () => {
    const { state, watch, event, wait } = setup();
    watch();
    await wait();
    event('another');
    await wait(60_000);
    expect(state.calls).toBe(1);
    event('mine');
    await wait(500);
    expect(state.calls).toBe(2);
  });

  it('fetches once for many events', async () => {
    const { state, watch, event, wait } = setup();
    watch();
    await wait();
    for (let i = 0; i < 100; i++) event('mine');
    await wait(500);
    expect(state.calls).toBe(2);
  });

  it('waits five times as long as a slow server took to answer', async () => {
    const { state, watch, stale, wait } = setup(1000);
    watch();
    await wait(1000);
    stale.markAll();
    await wait(3900); // 4.9 s after the first fetch started
    expect(state.calls).toBe(1);
    await wait(200);
    expect(state.calls).toBe(2);
  });

  it('fetches once more after a change during a fetch', async () => {
    const { state, watch, stale, wait } = setup(100);
    watch();
    await wait(50);
    stale.markAll();
    await wait(2000);
    expect(state.calls).toBe(2);
  });

  it('fetches nothing again for a hidden page, and fetches stale answers once it is visible', async () => {
    const { state, watch, stale, wait } = setup();
    watch();
    await wait();
    focusManager.setFocused(false);
    stale.markAll();
    await wait(60_000);
    expect(state.calls).toBe(1);
    focusManager.setFocused(true);
    stale.wake();
    await wait(1);
    expect(state.calls).toBe(2);
  });

  it('fetches a stale answer again only when it is shown again', async () => {
    const { state, watch, stale, wait } = setup();
    const stop = watch();
    await wait();
    stop();
    stale.markAll();
    await wait(60_000);
    expect(state.calls).toBe(1);
    watch();
    await wait(1000);
    expect(state.calls).toBe(2);
  });

  it('keeps the last answer beside an error', async () => {
    const { state, observer, watch, stale, wait } = setup();
    watch();
    await wait();
    state.fault = new Error('away');
    stale.markAll();
    await wait(1000);
    expect(observer.getCurrentResult()).toMatchObject({ data: 1, error: state.fault, isLoading: false });
  });
});
