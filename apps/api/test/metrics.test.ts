import { Histogram, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createCountedHistogram } from '../src/metrics.ts';

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
