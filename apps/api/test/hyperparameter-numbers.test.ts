/** A number of a hyperparameter stays the same number in the plan, in trials, in stages, on the leaderboard and in its filter. */
import { type Client, createClient } from '@funnel/client';
import {
  type HyperparameterName,
  type HyperparameterValue,
  hyperparameterDeclaration,
  hyperparametersOf,
  isNumeric,
  type LeaderboardRow,
  type RecipeName,
  recipeNames,
  type SweepInput,
} from '@funnel/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { drain } from '../../../packages/db/test/support/simulated-trainer.ts';
import { build, oneTrial, type TestApp } from './build.ts';

let api: TestApp;
let client: Client;
let url: string;
beforeAll(async () => {
  api = await build();
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  client = createClient({ url });
});
afterAll(() => api.close());

/** Numbers that would change with another text format, precision or scale. */
const awkward = [1e-7, 0.30000000000000004, 3.1622776601684e-4, 0.1, 1 / 3];

/** Up to six values of a hyperparameter, so that six trials can differ in every hyperparameter. */
const valuesOf = (name: HyperparameterName): HyperparameterValue[] => {
  const hyperparameter = hyperparameterDeclaration(name);
  if (hyperparameter.kind === 'real') return [...awkward, hyperparameter.bounds.max];
  if (hyperparameter.kind === 'whole') {
    const { bounds } = hyperparameter;
    if (name.endsWith('Epochs')) return [1, 2];
    const largest = name === 'paddedSize' ? 32 : bounds.max; // a network on larger maps needs more memory than a sweep may
    return [1, 2, 3, 5, 8, largest].filter((value) => !('min' in bounds) || value >= bounds.min);
  }
  if (name === 'filters') return ['8', '16-32', '9999-1'];
  return [hyperparameter.default];
};

const sweepOf = (recipe: RecipeName): SweepInput => {
  const space = Object.fromEntries(hyperparametersOf(recipe).map((name) => [name, valuesOf(name)]));
  return {
    ...oneTrial,
    name: `all hyperparameters of ${recipe}`,
    attacks: ['fgsm'],
    recipes: recipe,
    space: space as SweepInput['space'], // a list of its own values for every hyperparameter
    search: { strategy: 'random', trials: 6, seed: 5 },
  };
};

/** The whole ranking. */
const leaderboard = async (recipe: RecipeName, where?: string): Promise<LeaderboardRow[]> => {
  const query = {
    recipe: [recipe],
    attack: 'fgsm',
    metric: 'robustAccuracy',
    ...(where && { where }),
  } as const;
  const { items, next } = await client.leaderboard({ query: { ...query, recipe, limit: 100 } });
  expect(next).toBeNull();
  return items;
};
const numbersIn = (
  rows: readonly { readonly hyperparameters: Readonly<Record<string, HyperparameterValue>> }[],
) => rows.map(({ hyperparameters }) => JSON.stringify(Object.entries(hyperparameters).sort())).sort();

describe.each(recipeNames)('%s', (recipe) => {
  test('has the same numbers everywhere', async () => {
    const sweep = sweepOf(recipe);
    const plan = await client.planSweep({ body: sweep });
    expect(
      Object.fromEntries(plan.space!.map(({ hyperparameter, values }) => [hyperparameter, values])),
    ).toEqual(Object.fromEntries(hyperparametersOf(recipe).map((name) => [name, valuesOf(name)])));
    const asYaml = await fetch(`${url}/v1/sweeps`, {
      method: 'POST',
      headers: { 'content-type': 'application/yaml' },
      body: stringify(sweep),
    });
    const { id } = (await asYaml.json()) as { id: string };
    const { definition } = await client.getSweep({ params: { id } });
    expect(definition.space).toEqual(sweep.space);
    await drain(api.db);

    const { items: trials } = await client.listTrials({ params: { id } });
    expect(trials).toHaveLength(6);
    for (const { hyperparameters } of trials)
      for (const name of hyperparametersOf(recipe)) expect(valuesOf(name)).toContain(hyperparameters[name]);
    const rows = await leaderboard(recipe);
    expect(numbersIn(rows)).toEqual(numbersIn(trials));

    for (const name of hyperparametersOf(recipe)) {
      if (!isNumeric(hyperparameterDeclaration(name))) continue;
      for (const [i, value] of (valuesOf(name) as number[]).entries()) {
        const alike = numbersIn(trials.filter(({ hyperparameters }) => hyperparameters[name] === value));
        const text = [String(value), value.toExponential(), `${value}..${value}`][i % 3]!;
        expect(numbersIn(await leaderboard(recipe, `${name}:${text}`)), `${name}:${text}`).toEqual(alike);
      }
    }
  });
});

test('trials have the points of ranges that the plan lists', async () => {
  const space = {
    ...oneTrial.space,
    trainingEpsilon: { min: 0.1, max: 0.4, count: 4 },
    classifierRate: { min: 1e-7, max: 3.1622776601684e-4, count: 3, scale: 'log' as const },
  };
  const { initialiseEpochs, optimiseEpochs, ...read } = space;
  const body: SweepInput = { ...oneTrial, attacks: ['fgsm'], recipes: 'adversarial-training', space: read };
  const { space: planned } = await client.planSweep({ body });
  const valuesIn = (name: string) => planned!.find(({ hyperparameter }) => hyperparameter === name)?.values;
  expect(valuesIn('trainingEpsilon')).toEqual([0.1, 0.2, 0.3, 0.4]);
  expect(valuesIn('classifierRate')).toEqual([1e-7, 5.6234132519e-6, 3.1622776601684e-4]);
  const { id } = await client.createSweep({ body });
  const { items } = await client.listTrials({ params: { id } });
  const pairs = items.map(({ hyperparameters: h }) => [h.classifierRate, h.trainingEpsilon]);
  expect(pairs).toEqual(
    valuesIn('classifierRate')!.flatMap((rate) => valuesIn('trainingEpsilon')!.map((e) => [rate, e])),
  );
});

test('a sweep that an older version accepted is still shown', async () => {
  const { id } = await client.createSweep({ body: { ...oneTrial, attacks: ['fgsm'] } });
  const older = { latent: { min: 1.5, max: 3, count: 2, scale: 'linear' } };
  await api.db.pool.query(
    `UPDATE sweeps SET definition = jsonb_set(definition, '{space}', $2), plan = plan - 'space' - 'leftOut' WHERE id = $1`,
    [id, JSON.stringify(older)],
  );
  const sweep = await client.getSweep({ params: { id } });
  expect(sweep.definition.space).toEqual(older);
  expect(sweep.plan).not.toHaveProperty('space');
});
