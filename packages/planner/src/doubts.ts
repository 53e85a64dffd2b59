/** What will probably disappoint in a sweep, before it costs anything: one sentence each, for `warnings` of a plan. */
import {
  budgetsOfChoice,
  defaultHyperparameters,
  excessText,
  type HyperparameterName,
  hyperparametersOf,
  isDecided,
  isPromoting,
  isRange,
  largeBalls,
  plural,
  type RecipeName,
  type SweepDefinition,
} from '@funnel/contracts';
import type { Outline } from './outline.ts';

const readersOf = ({ recipes }: SweepDefinition, name: HyperparameterName): readonly RecipeName[] =>
  [...new Set(recipes)].filter((recipe) => hyperparametersOf(recipe).includes(name));

/** The least and the largest number that the space gives to a hyperparameter, or its default. */
const endsOf = (
  { space }: SweepDefinition,
  name: 'trainingEpsilon' | 'warmupEpochs' | 'classifierEpochs',
): readonly [number, number] => {
  const dimension = space[name] ?? defaultHyperparameters[name];
  if (typeof dimension === 'object' && isRange(dimension)) return [dimension.min, dimension.max];
  const values = [dimension].flat().map(Number);
  return [Math.min(...values), Math.max(...values)];
};

const largeTraining = (definition: SweepDefinition): readonly string[] => {
  if (readersOf(definition, 'trainingEpsilon').length === 0) return [];
  const { dataset } = definition;
  const [, epsilon] = endsOf(definition, 'trainingEpsilon');
  const excess = excessText(
    { norm: 'linf', epsilon },
    budgetsOfChoice(dataset),
    dataset.name,
    (value) => `trainingEpsilon ${value}`,
  );
  return excess === null ? [] : [`${excess}: such training may learn nothing. Set \`trainingEpsilon\`.`];
};

/** ε grows to `trainingEpsilon` over `warmupEpochs`. A search with promotion gives other epochs to its rungs. */
const unfinishedWarmup = (definition: SweepDefinition): readonly string[] => {
  const { search } = definition;
  const readers = readersOf(definition, 'warmupEpochs');
  const [, longest] = endsOf(definition, 'warmupEpochs');
  const [shortest] = endsOf(definition, 'classifierEpochs');
  const isPromoted = isDecided(search) && isPromoting(search);
  if (readers.length === 0 || isPromoted || longest < shortest) return [];
  if (endsOf(definition, 'trainingEpsilon')[1] === 0) return [];
  return [
    `The ε of ${readers.join(', ')} grows over ${plural(longest, 'epoch')} (\`warmupEpochs\`), but the training may have ${shortest}: then it never trains at its full \`trainingEpsilon\`.`,
  ];
};

export const doubtsAbout = (
  definition: SweepDefinition,
  outline: Pick<Outline, 'attacks'>,
): readonly string[] => [
  ...largeBalls(outline.attacks, budgetsOfChoice(definition.dataset), definition.dataset.name).map(
    (doubt) => `${doubt}. Set \`epsilon\`.`,
  ),
  ...largeTraining(definition),
  ...unfinishedWarmup(definition),
];
