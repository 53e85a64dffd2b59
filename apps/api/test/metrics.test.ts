import type { ServiceCounts } from '@funnel/db';
import { Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { createCountedHistogram, createServiceMetrics, sparing } from '../src/metrics.ts';

const declared = {
  name: 'funnel_seconds',
  help: 'Seconds.',
  labelNames: ['kind'],
  bounds: [0.5, 1, 10],
};

it('shows the same text as a histogram that has observed every value', async () => {
  const seen = { optimise: [0.5, 0.75, 9, 11], attack: [1] };
  const own = new Registry();
  const histogram = new Histogram({
    name: declared.name,
    help: declared.help,
    labelNames: ['kind'],
    buckets: declared.bounds,
    registers: [own],
  });
  for (const [kind, values] of Object.entries(seen))
    for (const value of values) histogram.observe({ kind }, value);

  const registry = new Registry();
  const counted = createCountedHistogram(registry, declared);
  counted.set(
    Object.entries(seen).map(([kind, values]) => ({
      labels: { kind },
      within: declared.bounds.map((bound) => values.filter((value) => value <= bound).length),
      count: values.length,
      sum: values.reduce((sum, value) => sum + value, 0),
    })),
  );
  expect(await registry.metrics()).toBe(await own.metrics());
  expect(await registry.metrics()).toContain('funnel_seconds_bucket{le="0.5",kind="optimise"} 1');
});

it('has a title and no value before the first `set`', async () => {
  const registry = new Registry();
  createCountedHistogram(registry, declared);
  expect(await registry.metrics()).toBe('# HELP funnel_seconds Seconds.\n# TYPE funnel_seconds histogram\n');
});

describe('a spared reading', () => {
  /** A reading that takes the given times, by a clock of its own. */
  const readingOf = (took: readonly number[]) => {
    const clock = { now: 0 };
    let readings = 0;
    const read = sparing(
      async () => {
        clock.now += took[readings] ?? 0;
        return ++readings;
      },
      () => clock.now,
    );
    return { clock, read };
  };

  it('that took two seconds is repeated after 40 s from its start, when reading has taken a twentieth of the time', async () => {
    const { clock, read } = readingOf([2000, 2000]);
    expect(await read()).toBe(1);
    clock.now = 39_999;
    expect(await read()).toBe(1);
    clock.now = 40_000;
    expect(await read()).toBe(2);
  });

  it('that was quick is repeated at every scrape, and scrapes at once share it', async () => {
    const { read } = readingOf([99, 99]);
    expect(await Promise.all([read(), read()])).toEqual([1, 1]);
    expect(await read()).toBe(2);
  });

  it('that failed is not kept', async () => {
    let readings = 0;
    const read = sparing(async () => {
      if (++readings === 1) throw new Error('away');
      return readings;
    });
    await expect(read()).rejects.toThrow('away');
    expect(await read()).toBe(2);
  });
});

it('counts the batches that fail, by table, and forgets those that were mended', async () => {
  const none: ServiceCounts = {
    ...{ stages: [], throughput: [], claimable: 0, attempts: [], workers: [] },
    ...{ expiredLeases: 0, fencedWrites: 0, failingBatches: [] },
  };
  let failing = 2;
  const { text } = createServiceMetrics({
    pingDatabase: async () => {},
    readCounts: async () => ({ ...none, failingBatches: [{ table: 'propagations', count: failing }] }),
    readQueue: async () => ({}),
    streams: () => 0,
  });
  expect(await text()).toContain('funnel_batches_failing{table="propagations"} 2\n');
  failing = 0;
  expect(await text()).toContain('funnel_batches_failing{table="propagations"} 0\n');
});
