import { attemptBounds, type ServiceCounts } from '@funnel/db';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export type CountedRow = {
  readonly labels: Readonly<Record<string, string>>;
  /** How many were no larger than each bound: a value counts for its own class and all above. */
  readonly within: readonly number[];
  readonly count: number;
  readonly sum: number;
};

/** A histogram of what something else has observed and counted: it is told the counts, and says them at the next scrape. */
export const createCountedHistogram = (
  registry: Registry,
  declared: {
    readonly name: string;
    readonly help: string;
    readonly labelNames: readonly string[];
    readonly bounds: readonly number[];
  },
): { readonly set: (rows: readonly CountedRow[]) => void } => {
  const { name, help, labelNames, bounds } = declared;
  const histogram = new Histogram({
    name,
    help,
    labelNames: [...labelNames],
    buckets: [...bounds],
    registers: [registry],
  });
  let rows: readonly CountedRow[] = [];
  const get = async () => ({
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    values: rows.flatMap(({ labels, within, count, sum }) => [
      ...bounds.map((le, i) => ({
        metricName: `${name}_bucket`,
        labels: { le, ...labels },
        value: within[i] ?? 0,
      })),
      { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: count },
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ]),
  });
  // prom-client's own only grows by single observations. Its registry asks these two for what to print.
  Object.assign(histogram, { get, getForPromString: get });
  return {
    set: (next) => {
      rows = next;
    },
  };
};

/** Numbers about the service itself, for Prometheus. What PostgreSQL knows is read from it at every scrape: no process owns it. */

export type ServiceMetricsOptions = {
  readonly readCounts: () => Promise<ServiceCounts>;
  /** Rings that wait in the queue, by state. */
  readonly readQueue: () => Promise<Readonly<Record<string, number>>>;
  readonly streams: () => number;
};

export type ServiceMetrics = {
  readonly registry: Registry;
  /** The text of a scrape. */
  readonly text: () => Promise<string>;
  readonly countReconcilerFault: () => void;
};

type Row = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

type Define<M> = (name: string, help: string, labels?: readonly string[]) => M;
type CountMetric = {
  readonly metric: Gauge | Counter;
  readonly rows: (counts: ServiceCounts) => readonly Row[];
};

const one = (value: number): readonly Row[] => [{ labels: {}, value }];

/** What the database counts, and what each metric shows of it. */
const countMetrics = ({
  gauge,
  total,
}: {
  readonly gauge: Define<Gauge>;
  readonly total: Define<Counter>;
}): readonly CountMetric[] => [
  {
    metric: gauge('stages', 'Stages, by kind and status.', ['kind', 'status']),
    rows: ({ stages }) =>
      stages.map(({ kind, status, count }) => ({ labels: { kind, status }, value: count })),
  },
  {
    metric: gauge('stages_claimable', 'Stages that a worker could claim now: what to scale workers on.'),
    rows: ({ claimable }) => one(claimable),
  },
  {
    metric: gauge('images_per_second', 'Images per second of all running stages, by kind.', ['kind']),
    rows: ({ throughput }) =>
      throughput.map(({ kind, imagesPerSecond }) => ({ labels: { kind }, value: imagesPerSecond })),
  },
  {
    metric: total('stage_attempts_total', 'Attempts that ended, by kind and outcome.', ['kind', 'outcome']),
    rows: ({ attempts }) =>
      attempts.map(({ kind, outcome, attempts: value }) => ({ labels: { kind, outcome }, value })),
  },
  {
    metric: total('leases_expired_total', 'Leases that ran out before their attempt ended.'),
    rows: ({ expiredLeases }) => one(expiredLeases),
  },
  {
    metric: total('writes_fenced_total', 'Writes refused because the lease had gone to another attempt.'),
    rows: ({ fencedWrites }) => one(fencedWrites),
  },
  {
    metric: gauge('workers', 'Workers, by status.', ['status']),
    rows: ({ workers }) => workers.map(({ status, count }) => ({ labels: { status }, value: count })),
  },
  {
    metric: gauge('worker_slots', 'Slots of workers, by their status.', ['status']),
    rows: ({ workers }) => workers.map(({ status, slots }) => ({ labels: { status }, value: slots })),
  },
];

const fill = (target: Gauge | Counter, rows: readonly Row[]): void => {
  target.reset();
  for (const { labels, value } of rows) target.inc(labels, value);
};

export const createServiceMetrics = ({
  readCounts,
  readQueue,
  streams,
}: ServiceMetricsOptions): ServiceMetrics => {
  const registry = new Registry();
  const define = (name: string, help: string, labelNames: readonly string[]) => ({
    name: `funnel_${name}`,
    help,
    labelNames: [...labelNames],
    registers: [registry],
  });
  const gauge: Define<Gauge> = (name, help, labels = []) => new Gauge(define(name, help, labels));
  /** Counted by the database: set anew at every scrape, and only ever growing (but for `funnel gc`). */
  const total: Define<Counter> = (name, help, labels = []) => new Counter(define(name, help, labels));

  const queueDepth = gauge('queue_jobs', 'Rings in the queue, by state.', ['state']);
  const ofCounts = countMetrics({ gauge, total });
  const durations = createCountedHistogram(registry, {
    name: 'funnel_stage_attempt_seconds',
    help: 'Durations of attempts that ended, by kind and outcome.',
    labelNames: ['kind', 'outcome'],
    bounds: attemptBounds,
  });
  const clients = gauge('event_streams', 'Clients that watch the event stream.');
  const reachable = gauge('part_up', 'Whether a part answered this scrape.', ['part']);
  const reconcilerFaults = total('reconciler_faults_total', 'Rounds of the reconciler that failed.');

  const fillCounts = (counts: ServiceCounts): void => {
    for (const { metric, rows } of ofCounts) fill(metric, rows(counts));
    durations.set(
      counts.attempts.map(({ kind, outcome, attempts: count, seconds: sum, within }) => ({
        labels: { kind, outcome },
        ...{ count, sum, within },
      })),
    );
  };

  /** A part that is away must not take the other numbers with it. */
  const scrape = async <T>(part: string, read: () => Promise<T>, use: (value: T) => void): Promise<void> => {
    const value = await read().catch(() => null);
    reachable.set({ part }, value === null ? 0 : 1);
    if (value !== null) use(value);
  };

  return {
    registry,
    text: async () => {
      await Promise.all([
        scrape('database', readCounts, fillCounts),
        scrape('queue', readQueue, (jobs) =>
          fill(
            queueDepth,
            Object.entries(jobs).map(([state, value]) => ({ labels: { state }, value })),
          ),
        ),
      ]);
      clients.set(streams());
      return registry.metrics();
    },
    countReconcilerFault: () => reconcilerFaults.inc(),
  };
};
