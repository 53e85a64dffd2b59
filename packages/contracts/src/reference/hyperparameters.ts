/** The reference of hyperparameters and of the recipes that read them. */
import { joinWithOr } from '../did-you-mean.ts';
import {
  defaultHyperparameters,
  type HyperparameterDeclaration,
  type HyperparameterName,
  hyperparameterDeclaration,
  hyperparameterNames,
  isNumeric,
} from '../hyperparameters.ts';
import { hyperparametersOf, type Recipe, type RecipeName, recipeNames, recipes } from '../recipes.ts';
import { formatAmount, plural } from '../text.ts';
import { defineTopic, valueText } from './topic.ts';

/** `a whole number from 1 to 4,096`, `convolutional, mlp or residual` */
const valuesText = (declaration: HyperparameterDeclaration): string => {
  if (declaration.kind === 'boolean') return 'true or false';
  if (declaration.kind === 'word')
    return 'choices' in declaration ? joinWithOr(declaration.choices) : declaration.expected;
  const { kind, bounds } = declaration;
  const low = 'above' in bounds ? `above ${bounds.above} and at most` : `from ${bounds.min} to`;
  return `${kind === 'whole' ? 'a whole number' : 'a number'} ${low} ${formatAmount(bounds.max)}`;
};

const rowOf = (name: HyperparameterName) => {
  const declaration = hyperparameterDeclaration(name);
  const numeric = isNumeric(declaration) ? declaration : null;
  return {
    name,
    title: declaration.title,
    description: declaration.description,
    kind: declaration.kind,
    unit: numeric?.unit ?? null,
    values: valuesText(declaration),
    bounds: numeric?.bounds ?? null,
    choices: declaration.kind === 'word' && 'choices' in declaration ? declaration.choices : null,
    default: declaration.default,
    usual: numeric?.usual ?? null,
    scale: numeric?.scale ?? null,
    assumed: declaration.assumed ?? false,
    recipes: recipeNames.filter((recipe) => hyperparametersOf(recipe).includes(name)),
  };
};
type HyperparameterRow = ReturnType<typeof rowOf>;

const usualText = ({ usual, scale, values }: HyperparameterRow): string => {
  if (usual === null) return values;
  return `${usual.map(valueText).join(' to ')}${scale === 'log' ? ', on a log scale' : ''}`;
};

export const hyperparameterTopic = defineTopic<HyperparameterRow>({
  title: 'Hyperparameters',
  about:
    'The names below `space:` of a sweep file. Each takes a value, a list or a range; one that is not named keeps its default. A sweep refuses a hyperparameter that none of its recipes reads. § and eq. are those of the FUNN paper.',
  rows: () => hyperparameterNames.map(rowOf),
  fields: [
    { title: 'default', text: (row) => valueText(row.default), isListed: true },
    { title: 'usual range', text: usualText },
    { title: 'values', text: ({ values }) => values },
    { title: 'unit', text: ({ unit }) => unit ?? 'none', isListed: true },
    { title: 'meaning', text: ({ description }) => description, isListed: true },
    { title: 'our default', text: ({ assumed }) => (assumed ? 'yes: the paper gives no value' : 'no') },
    { title: 'read by', text: (row) => row.recipes.join(', ') },
  ],
});

/** `initialiseEpochs + optimiseEpochs = 9 + 31 epochs` */
const lengthText = ({ lengthOf }: Recipe['stages'][number]): string => {
  const defaults = lengthOf.map((name) => Number(defaultHyperparameters[name]));
  return `${lengthOf.join(' + ')} = ${defaults.join(' + ')} epochs by default`;
};

const recipeRow = (name: RecipeName) => {
  const { title, description, citation, stages }: Recipe = recipes[name];
  return {
    name,
    title,
    description,
    citation,
    epochs: stages.reduce((sum, stage) => sum + stage.epochs(defaultHyperparameters), 0),
    stages: stages.map((stage) => ({
      kind: stage.kind,
      length: lengthText(stage),
      hyperparameters: stage.reads,
      metrics: stage.records,
    })),
  };
};

export const recipeTopic = defineTopic<ReturnType<typeof recipeRow>>({
  title: 'Recipes',
  about:
    'The names below `recipes:` of a sweep file: ways to train a model. For a baseline without a defence take `plain`. It trains encoder and classifier together on clean images. `classic` is another baseline: it trains an auto-encoder first, for as many epochs as `funn` does, and then a classifier on the frozen encoder.',
  rows: () => recipeNames.map(recipeRow),
  fields: [
    { title: 'epochs', text: ({ epochs }) => String(epochs), isListed: true },
    { title: 'meaning', text: ({ description }) => description, isListed: true },
    { title: 'stages', text: (row) => row.stages.map(({ kind, length }) => `${kind}: ${length}`) },
    {
      title: 'hyperparameters',
      text: ({ name }) =>
        `${hyperparametersOf(name).join(', ')} (${plural(hyperparametersOf(name).length, 'hyperparameter')})`,
    },
    {
      title: 'metrics of each epoch',
      text: (row) => row.stages.map(({ kind, metrics }) => `${kind}: ${metrics.join(', ')}`),
    },
    { title: 'paper', text: ({ citation }) => citation },
  ],
});
