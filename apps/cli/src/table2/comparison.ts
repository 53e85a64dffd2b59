/** FUNN against the plain auto-encoder of the same architecture: the shift is what a defence may claim. */
import { median } from '@funnel/attacks/statistics';
import { baselineOf, type Configuration } from './configurations.ts';
import { table } from './format.ts';
import type { Measured } from './statistics.ts';

/** Success in shares, the median L2 as a factor: over the seeds that both have, the least, the middle and the greatest. */
export type Shift = {
  readonly title: string;
  readonly success: number;
  /** The intervals of both over the pooled images do not overlap. */
  readonly clear: boolean;
  /** Null where no seed has two finite medians. */
  readonly factor: readonly [number, number, number] | null;
};

const factors = (ours: Measured, base: Measured): Shift['factor'] => {
  const all = [...ours.medians].flatMap(([seed, value]) => {
    const other = base.medians.get(seed);
    return other !== undefined && Number.isFinite(value) && Number.isFinite(other) && other > 0
      ? [value / other]
      : [];
  });
  const middle = median(all);
  return middle === null ? null : [Math.min(...all), middle, Math.max(...all)];
};

const shift = (title: string, ours: Measured, base: Measured): Shift => ({
  title,
  success: ours.success.mean - base.success.mean,
  clear: ours.pooled[0] > base.pooled[1] || ours.pooled[1] < base.pooled[0],
  factor: factors(ours, base),
});

export type Comparison = {
  readonly configuration: Configuration;
  readonly baseline: Configuration;
  readonly shifts: readonly Shift[];
};

export const comparisonsOf = (configurations: readonly Configuration[]): Comparison[] =>
  configurations
    .filter(({ recipe }) => recipe === 'funn')
    .flatMap((configuration) => {
      const baseline = baselineOf(configuration, configurations);
      if (!baseline) return [];
      const shifts = configuration.rows.flatMap(({ printed, measured }, i) => {
        const base = baseline.rows[i]!.measured;
        return measured && base ? [shift(printed.title, measured, base)] : [];
      });
      return shifts.length > 0 ? [{ configuration, baseline, shifts }] : [];
    });

const points = (share: number): string => {
  const text = (100 * share).toFixed(1);
  return Number(text) > 0 ? `+${text}` : text.replace('-0.0', '0.0');
};

export const describeFactor = ([low, middle, high]: NonNullable<Shift['factor']>): string =>
  low === high ? `× ${middle.toFixed(2)}` : `× ${middle.toFixed(2)} (${low.toFixed(2)} … ${high.toFixed(2)})`;

export const describeComparison = ({ configuration, baseline, shifts }: Comparison): string =>
  [
    `### \`${configuration.name}\` against \`${baseline.name}\``,
    '',
    'Difference of the mean success rates; *clear* where the two intervals of the images do not overlap. The factor is seed by seed: its middle, least and greatest.',
    '',
    table(
      ['attack', 'success, points', 'clear', 'median L2, factor'],
      shifts.map(({ title, success, clear, factor }) => [
        title,
        points(success),
        clear ? 'yes' : 'no',
        factor === null ? '–' : describeFactor(factor),
      ]),
      [1, 3],
    ),
  ].join('\n');
