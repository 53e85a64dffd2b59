/**
 * The service's metrics for Prometheus. Most come from PostgreSQL, since no single process knows those numbers. Counting them reads all
 * stages, so a large database is read less often than it is scraped.
 */
import { attemptBounds, type ServiceCounts } from '@funnel/db';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export type CountedRow = {
  readonly labels: Readonly<Record<string, string>>;
  /** For each bound, the number of values that are not larger. */
  readonly within: readonly number[];
  readonly count: number;
  readonly sum: number;
};

/** A histogram of values that the database has counted: `set` replaces all counts, and the next scrape shows them. */
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
  // prom-client's histogram takes single values only. Its registry calls these two functions for the text of a scrape.
  Object.assign(histogram, { get, getForPromString: get });
  return {
    set: (next) => {
      rows = next;
    },
  };
};

/** Reading may take this share of the time. */
const readingShare = 0.05;
/** Milliseconds. A quicker reading may be repeated at every scrape. */
const quickMs = 100;

/**
 * Calls share readings. After a slow reading, they get its value until so much time has passed that reading takes a twentieth of the time at
 * most: with a million stages a reading takes seconds, and nothing limits how often somebody scrapes. A failure is not kept. `now`: in
 * milliseconds.
 */
export const sparing = <T>(read: () => Promise<T>, now: () => number = () => performance.now()) => {
  let latest: { readonly value: Promise<T>; readonly until: number } | null = null;
  return (): Promise<T> => {
    if (latest && now() < latest.until) return latest.value;
    const start = now();
    const value = read();
    latest = { value, until: Number.POSITIVE_INFINITY };
    value.then(
      () => {
        const took = now() - start;
        latest = took < quickMs ? null : { value, until: start + took / readingShare };
      },
      () => {
        latest = null;
      },
    );
    return value;
  };
};

export type ServiceMetricsOptions = {
  /** Rejects while the database is away. */
  readonly pingDatabase: () => Promise<void>;
  readonly readCounts: () => Promise<ServiceCounts>;
  /** Notifications in the queue, by state. */
  readonly readQueue: () => Promise<Readonly<Record<string, number>>>;
  /** The number of open event streams. */
  readonly streams: () => number;
};

export type ServiceMetrics = {
  readonly registry: Registry;
  /** The text of a scrape. */
  readonly text: () => Promise<string>;
  readonly countReconcilerFault: () => void;
  /** Counts an answered request of a declared route. */
  readonly observeRequest: (request: {
    readonly route: string;
    readonly status: number;
    readonly seconds: number;
  }) => void;
};

type Row = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

type Define<M> = (name: string, help: string, labels?: readonly string[]) => M;
type CountMetric = {
  readonly metric: Gauge | Counter;
  readonly rows: (counts: ServiceCounts) => readonly Row[];
};

const one = (value: number): readonly Row[] => [{ labels: {}, value }];

/** The metrics that the database counts. */
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
    metric: gauge(
      'stages_claimable',
      'Stages that a worker could claim now. Scale the number of workers by it.',
    ),
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
    metric: gauge('batches_failing', 'Batches of changes of sweeps whose last try failed, by table.', [
      'table',
    ]),
    rows: ({ failingBatches }) =>
      failingBatches.map(({ table, count }) => ({ labels: { table }, value: count })),
  },
  {
    metric: gauge('workers', 'Workers, by status.', ['status']),
    rows: ({ workers }) => workers.map(({ status, count }) => ({ labels: { status }, value: count })),
  },
  {
    metric: gauge('worker_slots', 'Slots of workers, by status of the worker.', ['status']),
    rows: ({ workers }) => workers.map(({ status, slots }) => ({ labels: { status }, value: slots })),
  },
];

const fill = (target: Gauge | Counter, rows: readonly Row[]): void => {
  target.reset();
  for (const { labels, value } of rows) target.inc(labels, value);
};

export const createServiceMetrics = ({
  pingDatabase,
  readCounts,
  readQueue,
  streams,
}: ServiceMetricsOptions): ServiceMetrics => {
  const spareCounts = sparing(readCounts);
  const readDatabase = async (): Promise<ServiceCounts> => {
    await pingDatabase(); // the counts may be of a time before the database went away
    return spareCounts();
  };
  const registry = new Registry();
  const define = (name: string, help: string, labelNames: readonly string[]) => ({
    name: `funnel_${name}`,
    help,
    labelNames: [...labelNames],
    registers: [registry],
  });
  const gauge: Define<Gauge> = (name, help, labels = []) => new Gauge(define(name, help, labels));
  /** For numbers that the database counts, each scrape replaces the value; the value falls only after `funnel gc`. */
  const total: Define<Counter> = (name, help, labels = []) => new Counter(define(name, help, labels));

  const queueDepth = gauge('queue_jobs', 'Notifications in the queue, by state.', ['state']);
  const fromCounts = countMetrics({ gauge, total });
  const durations = createCountedHistogram(registry, {
    name: 'funnel_stage_attempt_seconds',
    help: 'Durations of attempts that ended, by kind and outcome.',
    labelNames: ['kind', 'outcome'],
    bounds: attemptBounds,
  });
  const clients = gauge('event_streams', 'Clients that watch the event stream.');
  const reachable = gauge('part_up', 'Whether a part answered this scrape.', ['part']);
  const latency = new Histogram({
    name: 'funnel_http_request_seconds',
    help: 'Latency of requests, by route and status.',
    labelNames: ['route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  const reconcilerFaults = total('reconciler_faults_total', 'Rounds of the reconciler that failed.');

  const fillCounts = (counts: ServiceCounts): void => {
    for (const { metric, rows } of fromCounts) fill(metric, rows(counts));
    durations.set(
      counts.attempts.map(({ kind, outcome, attempts: count, seconds: sum, within }) => ({
        labels: { kind, outcome },
        ...{ count, sum, within },
      })),
    );
  };

  /** Reads the numbers of one part. If that fails, the scrape shows the other parts. */
  const scrape = async <T>(part: string, read: () => Promise<T>, use: (value: T) => void): Promise<void> => {
    const value = await read().catch(() => null);
    reachable.set({ part }, value === null ? 0 : 1);
    if (value !== null) use(value);
  };

  return {
    registry,
    text: async () => {
      await Promise.all([
        scrape('database', readDatabase, fillCounts),
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
    observeRequest: ({ route, status, seconds }) =>
      latency.observe({ route, status: String(status) }, seconds),
  };
};

declare module 'fastify' {
  interface FastifyInstance {
    readonly metrics: ServiceMetrics;
  }
}

const metrics = async (
  app: FastifyInstance,
  options: Omit<ServiceMetricsOptions, 'streams'>,
): Promise<void> => {
  app.decorate('metrics', createServiceMetrics({ ...options, streams: app.eventHub.size }));
};

/** Adds `app.metrics`. */
export const metricsPlugin = fp(metrics, { name: 'metrics', dependencies: ['events'] });
