/** The settings of a reproduction sweep: the FUNN configurations with results, the nearest to the printed table first. */
import { type Configuration, configurationsOf } from '../measured.ts';
import type { SweepResults } from '../results.ts';
import { type Nearness, nearnessOf } from './nearness.ts';

/**
 * `number`: its place by nearness, from 1. A network that may guess is near to nothing, whatever its numbers are: such settings come after the
 * others, and those without a nearness last.
 */
export type Setting = {
  readonly number: number;
  readonly configuration: Configuration;
  readonly nearness: Nearness;
};

export const funnConfigurations = (sweeps: readonly SweepResults[]): readonly Configuration[] =>
  configurationsOf(sweeps.flatMap(({ results }) => results)).filter(
    ({ recipe, seeds }) => recipe === 'funn' && seeds.length > 0,
  );

export const isUntrained = ({ configuration }: Pick<Setting, 'configuration'>): boolean =>
  configuration.trialVerdict === 'untrained';

type Unnumbered = Omit<Setting, 'number'>;

/** Compared part by part. */
const orderOf = (setting: Unnumbered): readonly number[] => [
  Number(!isRanked(setting)),
  Number(isUntrained(setting)),
  setting.nearness.value ?? 0,
];

const compare = (a: Unnumbered, b: Unnumbered): number => {
  const other = orderOf(b);
  return (
    orderOf(a)
      .map((part, i) => part - other[i]!)
      .find((difference) => difference !== 0) ?? 0
  );
};

export const settingsOf = (sweeps: readonly SweepResults[]): readonly Setting[] =>
  funnConfigurations(sweeps)
    .map((configuration) => ({ configuration, nearness: nearnessOf(configuration) }))
    .toSorted(compare)
    .map((setting, i) => ({ number: i + 1, ...setting }));

export const isRanked = ({ nearness }: Pick<Setting, 'nearness'>): boolean => nearness.value !== null;

export const agreements = ({ nearness }: Setting): number => nearness.rows.filter((row) => row.agrees).length;
