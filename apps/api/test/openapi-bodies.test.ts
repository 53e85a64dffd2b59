/** Every body that a route accepts must match the OpenAPI document: other programs check by it what they send. */
import { readdir, readFile } from 'node:fs/promises';
import {
  attackNames,
  attackSpec,
  budgetsOf,
  datasetNames,
  evaluationMetricNames,
  hyperparameterNames,
  hyperparameters,
  hyperparametersOf,
  isBuiltIn,
  presetAttacks,
  presetNames,
  RetentionPolicy,
  recipeNames,
  SweepDefinition,
} from '@funnel/contracts';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { z } from 'zod';
import { createOpenApiDocument } from '../src/openapi.ts';
import { type Generator, mutate, type Schema, valueFor } from './fuzz/generate-value.ts';
import { createRandom } from './fuzz/strange-values.ts';

const document = createOpenApiDocument('test');
const { schemas } = document.components as { schemas: Record<string, Schema> };
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ ...document, $id: 'document' }, 'document');

const bodies = { SweepDefinition, RetentionPolicy } as const satisfies Record<string, z.ZodType>;
const documented = (name: string) => ajv.compile({ $ref: `document#/components/schemas/${name}` });
const inputs = {
  SweepDefinition: documented('SweepDefinition'),
  RetentionPolicy: documented('RetentionPolicy'),
};
const output = documented('SweepDefinitionOutput');

/** The route must accept the body, and both the body and what the route makes of it must match the document. */
const expectAccepted = (name: keyof typeof bodies, body: unknown): void => {
  const parsed = bodies[name].safeParse(body);
  expect(parsed.error?.issues ?? [], JSON.stringify(body)).toEqual([]);
  const input = inputs[name];
  expect(input(body), `${JSON.stringify(body)}: ${JSON.stringify(input.errors?.slice(0, 3))}`).toBe(true);
  // The planner fills in the numbers of a data set that is not built in.
  const { data } = parsed;
  if (data && 'dataset' in data && isBuiltIn(data.dataset.name))
    expect(output(JSON.parse(JSON.stringify(data)))).toBe(true);
};

const sweep = { name: 'a sweep', dataset: { name: 'glyphs' } };

const examples = await readdir(new URL('../../../examples', import.meta.url), { recursive: true });

test.each(examples.filter((file) => file.endsWith('.yaml')))('examples/%s', async (file) => {
  const text = await readFile(new URL(`../../../examples/${file}`, import.meta.url), 'utf8');
  expectAccepted('SweepDefinition', parse(text));
});

describe('every form of', () => {
  test.each(attackNames)('the attack %s', (attack) => {
    const { settings } = attackSpec(attack);
    for (const form of [
      attack,
      { attack },
      { attack, ...settings },
      { attack, settings },
      { attack, settings: {} },
    ])
      expectAccepted('SweepDefinition', { ...sweep, attacks: [form] });
  });

  test.each(presetNames)('the preset %s', (preset) => {
    const reference = `preset:${preset}`;
    expectAccepted('SweepDefinition', { ...sweep, attacks: { preset } });
    expectAccepted('SweepDefinition', { ...sweep, attacks: [reference, { attack: reference }] });
    for (const dataset of datasetNames)
      expectAccepted('SweepDefinition', { ...sweep, attacks: presetAttacks(preset, budgetsOf(dataset)) });
  });

  test.each(hyperparameterNames)('the hyperparameter %s', (name) => {
    const recipes = recipeNames.filter((recipe) => hyperparametersOf(recipe).includes(name));
    const value = hyperparameters[name].parse(undefined);
    const forms = [value, [value], ...(typeof value === 'number' ? [{ min: value, max: value }] : [])];
    for (const form of forms)
      expectAccepted('SweepDefinition', { ...sweep, recipes, space: { [name]: form } });
  });

  test('recipes, seeds, search and objective', () => {
    for (const recipes of [...recipeNames, [...recipeNames]])
      expectAccepted('SweepDefinition', { ...sweep, recipes });
    for (const seeds of [3, [0], [7, 2 ** 31 - 1]]) expectAccepted('SweepDefinition', { ...sweep, seeds });
    const gamma = { min: 1, max: 10 };
    for (const search of [{ strategy: 'grid' }, { strategy: 'random', trials: 2 }])
      expectAccepted('SweepDefinition', { ...sweep, search });
    for (const strategy of ['sobol', 'tpe', 'gp', 'nsga2', 'cma-es'])
      expectAccepted('SweepDefinition', { ...sweep, space: { gamma }, search: { strategy, trials: 2 } });
    const fidelity = { hyperparameter: 'optimiseEpochs', min: 1, max: 9 };
    for (const strategy of ['hyperband', 'successive-halving', 'asha'])
      expectAccepted('SweepDefinition', {
        ...sweep,
        space: { gamma },
        search: { strategy, trials: 2, fidelity },
      });
    for (const metric of evaluationMetricNames)
      expectAccepted('SweepDefinition', { ...sweep, objective: { attack: 'fgsm', metric } });
  });
});

test.each(Object.keys(bodies) as (keyof typeof bodies)[])(
  'random bodies that a route accepts as %s',
  (name) => {
    const random = createRandom(1);
    const generator: Generator = { random, resolve: (ref) => schemas[ref.split('/').at(-1)!]! };
    let accepted = 0;
    for (let i = 0; i < 2000; i++) {
      let body = valueFor(generator, schemas[name]!);
      for (let changes = random.below(3); changes > 0; changes--) body = mutate(random, body);
      const sent = JSON.parse(JSON.stringify(body) ?? 'null');
      if (!bodies[name].safeParse(sent).success) continue;
      accepted++;
      expectAccepted(name, sent);
    }
    expect(accepted).toBeGreaterThan(100);
  },
);
