/** What a new search learns from earlier sweeps. */
import {
  AppError,
  attackKey,
  canonicalJson,
  dataOf,
  defaultHyperparameters,
  type HyperparameterName,
  hyperparameterOf,
  hyperparametersOf,
  isPromoting,
  objectivesOf,
  type RecipeName,
  type SweepDefinition,
  stageDataset,
  sweepDataset,
  writeExtended,
} from '@funnel/contracts';
import type { EarlierConfiguration, EarlierSweep } from '@funnel/db';
import { type Axis, type Point, pointFrom, prepare } from '@funnel/search';
import { decidedSearchOf } from './decided-search.ts';
import type { EarlierObservation } from './earlier-observations.ts';
import { searchOf } from './search-of.ts';
import { createOutcomeOf } from './unit-outcome.ts';
import { attacksOf, isWorstCase, wantedValues } from './wanted-values.ts';

/** The images that decide a result: the content and the numbers of a data set. */
const imagesOf = ({ dataset }: SweepDefinition): string => {
  const { train, test, attack, ...rest } = stageDataset(sweepDataset(dataset));
  return `${train} training, ${test} test and ${attack} attacked images of ${dataset.name} (${dataOf(rest).digest.slice(0, 12)})`;
};

/** The objectives, and for the worst case the attacks that it is over. */
const objectivesText = (definition: SweepDefinition): string => {
  const objectives = objectivesOf(definition);
  const isOverAll = objectives.some(({ run, metric }) => isWorstCase({ attack: run, metric }));
  const attacks = isOverAll ? attacksOf(definition).map(attackKey).sort() : [];
  return canonicalJson([objectives.map(({ run, ...rest }) => ({ ...rest, run: run ?? null })), attacks]);
};

const describeObjectives = (definition: SweepDefinition): string =>
  objectivesOf(definition)
    .map(({ run, metric, direction }) => `${direction} ${run ? `${run.attack} ` : ''}${metric}`)
    .join(', ');

/**
 * The point of a configuration in the space of a new search. Null if it is not in it: a value is not in the space, or a hyperparameter outside of
 * the space differs from the value that the new sweep has for it: its default, or the epochs of the highest rung.
 */
const createPointIn = (
  definition: SweepDefinition,
  axes: readonly Axis[],
): ((configuration: EarlierConfiguration) => Point | null) => {
  const search = decidedSearchOf(definition);
  const fixed: Readonly<Record<string, unknown>> = isPromoting(search)
    ? { ...defaultHyperparameters, [search.fidelity.hyperparameter]: search.fidelity.max }
    : defaultHyperparameters;
  return (configuration) => {
    const recipe = definition.recipes.find((name) => name === configuration.recipe);
    if (recipe === undefined) return null;
    const read = (name: string) => (name === 'recipe' ? recipe : hyperparameterOf(configuration, name));
    const others = hyperparametersOf(recipe as RecipeName).filter(
      (name: HyperparameterName) => definition.space[name] === undefined,
    );
    return others.every((name) => read(name) === fixed[name]) ? pointFrom(axes, read) : null;
  };
};

const refuse = (place: number, expected: string, received: string): never => {
  throw new AppError('INVALID_REQUEST', `Expected ${expected}, but got ${received}`, {
    issues: [{ path: `search.from[${place}]`, expected, received }],
  });
};

/** Throws INVALID_REQUEST if the sweep measured something else. */
const checkAlike = (definition: SweepDefinition, earlier: SweepDefinition, place: number): void => {
  const [images, others] = [imagesOf(definition), imagesOf(earlier)];
  if (images !== others) refuse(place, `a sweep with the same data: ${images}`, others);
  if (objectivesText(definition) !== objectivesText(earlier))
    refuse(
      place,
      `a sweep with the same objectives and the same settings of their attacks: ${describeObjectives(definition)}`,
      describeObjectives(earlier),
    );
};

/**
 * The outcomes of the earlier sweeps' configurations that are points of the new search, at the highest rung. `sweeps`: those of `search.from`, in
 * its order. A configuration without a value that the new search reads teaches nothing, unless it ended badly. Throws INVALID_REQUEST, with the
 * path of the sweep, for one with other data or objectives, or without such a configuration.
 */
export const earlierOf = (
  definition: SweepDefinition,
  sweeps: readonly EarlierSweep[],
): readonly EarlierObservation[] => {
  const { axes } = prepare(searchOf(definition, { earlier: [], handPoints: [] }));
  const pointIn = createPointIn(definition, axes);
  const outcomeOf = createOutcomeOf(definition);
  const wanted = wantedValues(definition).length;
  const isMeasured = ({ trials }: EarlierConfiguration): boolean =>
    trials.some(({ status }) => status !== 'completed') ||
    trials.every(({ values }) => values.length === wanted && !values.includes(null));

  return sweeps.flatMap((sweep, place) => {
    checkAlike(definition, sweep.definition, place);
    const observations = sweep.configurations.filter(isMeasured).flatMap((each): EarlierObservation[] => {
      const point = pointIn(each);
      const outcome = outcomeOf(each.trials);
      if (!point || outcome.status === 'pending') return [];
      if (outcome.status === 'bad') return [{ point, values: null }];
      const { values, variances } = outcome;
      return [{ point, values: values.map(writeExtended), ...(variances && { variances: [...variances] }) }];
    });
    if (observations.length === 0)
      refuse(
        place,
        'a sweep with trials that have ended, at points of this space, and whose other hyperparameters are those of this sweep',
        `${sweep.configurations.length} configurations, none of them like this`,
      );
    return observations;
  });
};
