/**
 * The panels of the Grafana dashboard.
 *
 * Numbers from the database are the same in every API process, so a panel shows their maximum over processes. Each process counts only its own
 * requests, streams and faults, so a panel shows their sum.
 */
type Query = { readonly expr: string; readonly legend?: string };
export type Panel = {
  readonly title: string;
  readonly description: string;
  readonly queries: readonly Query[];
  readonly unit?: string;
  readonly stacked?: boolean;
  /** A number instead of a curve; `zero` is its colour at 0. */
  readonly stat?: { readonly zero: 'red' | 'green'; readonly above: 'red' | 'green' | 'text' };
};

export const rows: readonly {
  readonly title: string;
  readonly height: number;
  readonly columns: number;
  readonly panels: readonly Panel[];
}[] = [
  {
    title: 'Now',
    height: 4,
    columns: 6,
    panels: [
      {
        title: 'Workers online',
        description: 'Workers whose heartbeat is fresh.',
        queries: [{ expr: 'sum(max by (status) (funnel_workers{status="online"})) or vector(0)' }],
        stat: { zero: 'red', above: 'green' },
      },
      {
        title: 'Stages running',
        description: 'Stages under a lease.',
        queries: [{ expr: 'sum(max by (kind) (funnel_stages{status="running"})) or vector(0)' }],
        stat: { zero: 'green', above: 'text' },
      },
      {
        title: 'Stages claimable',
        description:
          'Stages that a free slot would claim at once. The number grows when there are too few workers.',
        queries: [{ expr: 'max(funnel_stages_claimable)' }],
        stat: { zero: 'green', above: 'text' },
      },
      {
        title: 'Stages failed',
        description: 'Stages that used up all their attempts.',
        queries: [{ expr: 'sum(max by (kind) (funnel_stages{status="failed"})) or vector(0)' }],
        stat: { zero: 'green', above: 'red' },
      },
      {
        title: 'Database',
        description: '1 when it answered the last scrape.',
        queries: [{ expr: 'max(funnel_part_up{part="database"})' }],
        stat: { zero: 'red', above: 'green' },
      },
      {
        title: 'Queue',
        description: '1 when it answered the last scrape.',
        queries: [{ expr: 'max(funnel_part_up{part="queue"})' }],
        stat: { zero: 'red', above: 'green' },
      },
    ],
  },
  {
    title: 'Work',
    height: 8,
    columns: 3,
    panels: [
      {
        title: 'Stages by status',
        description: 'Stages that have not ended.',
        queries: [
          {
            expr: 'sum by (status) (max by (kind, status) (funnel_stages{status=~"waiting|ready|running"}))',
            legend: '{{status}}',
          },
        ],
        stacked: true,
      },
      {
        title: 'Slots and running stages',
        description:
          'If fewer stages run than there are slots, although stages are claimable, workers fail to claim.',
        queries: [
          { expr: 'sum(max by (status) (funnel_worker_slots{status="online"}))', legend: 'slots' },
          { expr: 'sum(max by (kind) (funnel_stages{status="running"}))', legend: 'running' },
          { expr: 'max(funnel_stages_claimable)', legend: 'claimable' },
        ],
      },
      {
        title: 'Images per second',
        description: 'Of all running stages together, by kind.',
        queries: [{ expr: 'max by (kind) (funnel_images_per_second)', legend: '{{kind}}' }],
        stacked: true,
      },
      {
        title: 'Attempts that ended',
        description: 'Per minute, by outcome.',
        queries: [
          {
            expr: '60 * sum by (outcome) (max by (kind, outcome) (rate(funnel_stage_attempts_total[$__rate_interval])))',
            legend: '{{outcome}}',
          },
        ],
        stacked: true,
      },
      {
        title: 'Duration of completed attempts',
        description: 'Median and 95th percentile over an hour, by kind of stage.',
        queries: [0.5, 0.95].map((quantile) => ({
          expr: `histogram_quantile(${quantile}, max by (kind, le) (increase(funnel_stage_attempt_seconds_bucket{outcome="completed"}[1h])))`,
          legend: `{{kind}}, p${quantile * 100}`,
        })),
        unit: 's',
      },
      {
        title: 'Failed attempts',
        description: 'Per hour, by kind of stage.',
        queries: [
          {
            expr: 'max by (kind) (increase(funnel_stage_attempts_total{outcome="failed"}[1h]))',
            legend: '{{kind}}',
          },
        ],
      },
    ],
  },
  {
    title: 'Trouble',
    height: 8,
    columns: 4,
    panels: [
      {
        title: 'Leases that ran out, writes refused',
        description:
          'Per hour. A worker died, lost its connection to the database, or wrote too late. Results are not affected.',
        queries: [
          { expr: 'max(increase(funnel_leases_expired_total[1h]))', legend: 'leases expired' },
          { expr: 'max(increase(funnel_writes_fenced_total[1h]))', legend: 'writes fenced' },
        ],
      },
      {
        title: 'Notifications in the queue',
        description:
          'Notifications by state. They carry no work, so a long queue delays nothing and loses nothing.',
        queries: [{ expr: 'max by (state) (funnel_queue_jobs)', legend: '{{state}}' }],
      },
      {
        title: 'Faults of the reconciler',
        description: 'Rounds per hour that failed.',
        queries: [{ expr: 'sum(increase(funnel_reconciler_faults_total[1h]))', legend: 'faults' }],
      },
      {
        title: 'Batches that fail',
        description:
          'Batches of changes of sweeps whose last try failed, by table. Each is tried again, at last once an hour. `funnel doctor` names them.',
        queries: [{ expr: 'max by (table) (funnel_batches_failing)', legend: '{{table}}' }],
      },
    ],
  },
  {
    title: 'API',
    height: 8,
    columns: 4,
    panels: [
      {
        title: 'Latency',
        description: 'Of all routes but the event stream.',
        queries: [0.5, 0.95, 0.99].map((quantile) => ({
          expr: `histogram_quantile(${quantile}, sum by (le) (rate(funnel_http_request_seconds_bucket[$__rate_interval])))`,
          legend: `p${quantile * 100}`,
        })),
        unit: 's',
      },
      {
        title: '99th percentile by route',
        description: 'The ten slowest.',
        queries: [
          {
            expr: 'topk(10, histogram_quantile(0.99, sum by (le, route) (rate(funnel_http_request_seconds_bucket[$__rate_interval]))))',
            legend: '{{route}}',
          },
        ],
        unit: 's',
      },
      {
        title: 'Requests by status',
        description: 'Per second.',
        queries: [
          {
            expr: 'sum by (status) (rate(funnel_http_request_seconds_count[$__rate_interval]))',
            legend: '{{status}}',
          },
        ],
        unit: 'reqps',
        stacked: true,
      },
      {
        title: 'Event streams',
        description: 'Open streams of browsers and clients.',
        queries: [{ expr: 'sum(funnel_event_streams)', legend: 'streams' }],
      },
    ],
  },
];
