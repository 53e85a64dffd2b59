/** FUNN against the plain auto-encoder of the same architecture: the shift is what a defence may claim. */
import { baselineOf, type Configuration } from './configurations.ts';
import { table } from './format.ts';
import type { Measured } from './statistics.ts';

/** Success in shares, the median L2 as a factor; null where a median is infinite. */
export type Shift = {
  readonly title: string;
  readonly success: number;
  /** The intervals of both over the pooled images do not overlap. */
  readonly clear: boolean;
  readonly factor: number | null;
};

const shift = (title: string, ours: Measured, base: Measured): Shift => ({
  title,
  success: ours.success.mean - base.success.mean,
  clear: ours.pooled[0] > base.pooled[1] || ours.pooled[1] < base.pooled[0],
  factor: ours.medianL2 === null || base.medianL2 === null ? null : ours.medianL2 / base.medianL2,
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

const points = (share: number): string => `${share > 0 ? '+' : ''}${(100 * share).toFixed(1)}`;

export const describeComparison = ({ configuration, baseline, shifts }: Comparison): string =>
  [
    `### \`${configuration.name}\` against \`${baseline.name}\``,
    '',
    'Difference of the mean success rates; *clear* where the two intervals of the images do not overlap.',
    '',
    table(
      ['attack', 'success, points', 'clear', 'median L2, factor'],
      shifts.map(({ title, success, clear, factor }) => [
        title,
        points(success),
        clear ? 'yes' : 'no',
        factor === null ? '–' : `× ${factor.toFixed(2)}`,
      ]),
      [1, 3],
    ),
  ].join('\n');
