/** `GET /v1/schema`: every declaration that a user can choose from, for forms, charts and other programs. */
import {
  attacks,
  budgetsOf,
  datasets,
  evaluationMetrics,
  hyperparameterDeclaration,
  hyperparameterNames,
  hyperparameters,
  hyperparametersOf,
  presetAttacks,
  presets,
  type RecipeName,
  recipeNames,
  recipes,
  SweepDefinition,
  settingsJsonSchema,
  trainingMetrics,
} from '@funnel/contracts';
import { z } from 'zod';

const jsonSchema = (schema: z.ZodType): unknown => {
  const { $schema, ...json } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return json;
};

/** `Object.entries` loses the type of the keys. */
const mapValues = <K extends string, T, R>(record: Readonly<Record<K, T>>, map: (value: T, key: K) => R) =>
  Object.fromEntries(
    (Object.entries(record) as [K, T][]).map(([key, value]) => [key, map(value, key)]),
  ) as Record<K, R>;

const describeHyperparameters = () =>
  Object.fromEntries(
    hyperparameterNames.map((name) => [
      name,
      {
        ...hyperparameterDeclaration(name),
        schema: jsonSchema(hyperparameters[name]),
        recipes: recipeNames.filter((recipe) => hyperparametersOf(recipe).includes(name)),
      },
    ]),
  );

const describeRecipe = (name: RecipeName) => {
  const { title, description, citation, version, stages } = recipes[name];
  return {
    title,
    description,
    citation,
    version,
    stages: stages.map(({ kind, reads, lengthOf, records }) => ({ kind, reads, lengthOf, records })),
  };
};

/** The answer of `GET /v1/schema`. It never changes while the process runs. */
export const describeSchema = (): Record<string, unknown> => ({
  hyperparameters: describeHyperparameters(),
  recipes: Object.fromEntries(recipeNames.map((name) => [name, describeRecipe(name)])),
  datasets: mapValues(datasets, ({ title, classes, shape, train, test }) => ({
    title,
    classes,
    shape,
    train,
    test,
  })),
  attacks: mapValues(attacks, ({ settings, ...rest }) => {
    const { $schema, ...json } = settingsJsonSchema(settings);
    return { ...rest, settings: json };
  }),
  presets: mapValues(presets, ({ title, description }, name) => ({
    title,
    description,
    attacks: mapValues(datasets, (_, dataset) => presetAttacks(name, budgetsOf(dataset))),
  })),
  metrics: { training: trainingMetrics, evaluation: evaluationMetrics },
  sweep: jsonSchema(SweepDefinition),
});
