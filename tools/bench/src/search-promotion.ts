/** The epochs that promotion rules train, and the best configurations that they find, on learning curves that cross. */
import {
  type Decision,
  promotionNames,
  rungsOf,
  type StrategyName,
  simulateSearch,
  type Unit,
} from '@funnel/search';
import { optunaPromotion, quartiles } from './search-oracle.ts';
import { curves } from './search-problems.ts';
import { type SearchOptions, searchOf } from './search-quality.ts';

const fidelity = { min: 1, max: 27, eta: 3 };
const configurations = 100;
const epochs = rungsOf(fidelity);

const unitsOf = (decisions: readonly Decision[]): readonly Unit[] =>
  decisions.filter((decision): decision is Unit => decision.kind === 'unit');

/** A promoted unit continues from the rung below, so it trains only the epochs between. */
const trainedEpochs = (units: readonly Unit[]): number => {
  const ends = new Map<number, number>();
  let sum = 0;
  for (const { configuration, rung } of units) {
    sum += epochs[rung]! - (ends.get(configuration) ?? 0);
    ends.set(configuration, epochs[rung]!);
  }
  return sum;
};

/** One row for each rule and sampler. `best`: the least loss of a configuration that trained to the highest rung. */
export const measurePromotion = (
  samplers: readonly StrategyName[],
  { seeds, parallelism }: Pick<SearchOptions, 'seeds' | 'parallelism'>,
) =>
  promotionNames.flatMap((rule) =>
    samplers.map((sampler) => {
      const runs = Array.from({ length: seeds }, (_, seed) => {
        const search = {
          ...searchOf(curves.space, sampler, seed, parallelism),
          promotion: { rule, fidelity },
        };
        const units = unitsOf(
          simulateSearch(search, configurations, ({ point, rung }) => ({
            status: 'measured',
            utilities: [-curves.loss(point, epochs[rung]!)],
          })),
        );
        const finished = units.filter(({ rung }) => rung === epochs.length - 1);
        return {
          epochs: trainedEpochs(units),
          best: Math.min(...finished.map(({ point }) => curves.loss(point, fidelity.max))),
        };
      });
      return {
        rule,
        sampler,
        epochs: quartiles(runs.map((run) => run.epochs)),
        best: quartiles(runs.map((run) => run.best)),
        optuna: optunaPromotion(rule),
      };
    }),
  );
