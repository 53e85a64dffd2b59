/**
 * How near a configuration comes to the printed success rates: the mean distance over the printed rows, on the logit scale, where 0.5 % and
 * 1 % are as far apart as 50 % and 67 %.
 */
import { mean } from '@funnel/attacks/statistics';
import { groupBy } from '../group.ts';
import { agrees, type Configuration, nearlyAll, printedOf, type Row } from '../measured.ts';
import { type Printed, printedName } from '../printed.ts';

export const logit = (share: number): number => Math.log(share / (1 - share));

/** The logit of k successes among n images. Half an image keeps it finite at 0 and at n. */
export const logitOf = (k: number, n: number): number => logit((k + 0.5) / (n + 1));

/** The paper attacked the correctly classified ones of its first 1,000 images. A printed 100 % gets the logit of so many. */
const paperImages = 1000;

/** The logits that a printed rate stands for: one, or for “near 100 %” all from the least that agrees with it. */
const printedLogits = ({ success, near }: Printed): readonly [low: number, high: number] => {
  if (near) return [logit(nearlyAll), Number.POSITIVE_INFINITY];
  const value =
    success > 0 && success < 100 ? logit(success / 100) : logitOf((success / 100) * paperImages, paperImages);
  return [value, value];
};

export const distanceTo = (printed: Printed, successes: number, attempted: number): number => {
  const ours = logitOf(successes, attempted);
  const [low, high] = printedLogits(printed);
  return Math.max(low - ours, ours - high, 0);
};

/** One row that the paper prints. Where the paper leaves open which attack it ran, `row` is the nearest of ours. */
export type PrintedDistance = {
  readonly name: string;
  readonly printed: Printed;
  /** Null when none of our attacks for this row has a result. */
  readonly row: Row | null;
  readonly distance: number | null;
  /** True when one of our attacks for this row agrees. */
  readonly agrees: boolean;
};

export type Nearness = {
  /** The mean distance. Null when a row has no result: the mean of fewer rows would not be comparable. */
  readonly value: number | null;
  readonly rows: readonly PrintedDistance[];
};

const nearest = (name: string, printed: Printed, rows: readonly Row[]): PrintedDistance => {
  const measured = rows
    .flatMap((row) =>
      row.measured === null
        ? []
        : [{ row, distance: distanceTo(printed, row.measured.successes, row.measured.attempted) }],
    )
    .sort((a, b) => a.distance - b.distance);
  return {
    ...{ name, printed },
    row: measured[0]?.row ?? null,
    distance: measured[0]?.distance ?? null,
    agrees: rows.some((row) => row.measured !== null && agrees(printed, row.measured)),
  };
};

export const nearnessOf = (configuration: Configuration): Nearness => {
  const groups = groupBy(
    configuration.rows.filter((row) => printedOf(configuration, row) !== null),
    ({ printed }) => printedName(printed),
  );
  const rows = [...groups].map(([name, group]) => nearest(name, printedOf(configuration, group[0]!)!, group));
  const distances = rows.flatMap(({ distance }) => distance ?? []);
  return { value: distances.length === rows.length ? mean(distances) : null, rows };
};
