/** The settings of a reproduction sweep: the FUNN configurations with results, the nearest to the printed table first. */
import { type Configuration, configurationsOf, type SweepResults } from '../measured.ts';
import { type Nearness, nearnessOf } from './nearness.ts';

/** `number`: its place by nearness, from 1. Settings without a nearness come last. */
export type Setting = {
  readonly number: number;
  readonly configuration: Configuration;
  readonly nearness: Nearness;
};

export const funnConfigurations = (sweeps: readonly SweepResults[]): readonly Configuration[] =>
  configurationsOf(sweeps.flatMap(({ results }) => results)).filter(
    ({ recipe, seeds }) => recipe === 'funn' && seeds.length > 0,
  );

export const settingsOf = (sweeps: readonly SweepResults[]): readonly Setting[] =>
  funnConfigurations(sweeps)
    .map((configuration) => ({ configuration, nearness: nearnessOf(configuration) }))
    .toSorted((a, b) => (a.nearness.value ?? Number.MAX_VALUE) - (b.nearness.value ?? Number.MAX_VALUE))
    .map((setting, i) => ({ number: i + 1, ...setting }));

export const isRanked = ({ nearness }: Setting): boolean => nearness.value !== null;

export const agreements = ({ nearness }: Setting): number => nearness.rows.filter((row) => row.agrees).length;
