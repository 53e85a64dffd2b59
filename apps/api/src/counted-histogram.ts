import { Histogram, type Registry } from 'prom-client';

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
