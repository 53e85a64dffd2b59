import {
  attackNames,
  attacks,
  budgetsOfChoice,
  expandAttacks,
  hyperparameterDeclaration,
  hyperparameterNames,
  hyperparameters,
  hyperparametersOf,
  isNumeric,
  recipeNames,
  SweepDefinition,
} from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  changeDataset,
  type Draft,
  definitionDraft,
  draftInput,
  emptyDraft,
} from '../../src/views/new-sweep/draft.ts';
import { fieldOf, issueAt, issuesOf, parseSweep } from '../../src/views/new-sweep/schema.ts';

const named: Draft = { ...emptyDraft, name: 'γ' };
const parse = (draft: Draft) => SweepDefinition.parse(draftInput(draft));

/** The definition with its attacks expanded. */
const expanded = (definition: SweepDefinition) => ({
  ...definition,
  attacks: expandAttacks(definition.attacks, { budgets: budgetsOfChoice(definition.dataset) }),
});

describe('a draft', () => {
  it('is a sweep of one trial as soon as it has a name', () => {
    const definition = parse(named);
    expect(definition).toMatchObject({
      name: 'γ',
      recipes: ['funn'],
      space: {},
      seeds: [0],
      attacks: { preset: 'quick' },
    });
  });

  it('accepts every hyperparameter of every recipe at its default', () => {
    for (const recipe of recipeNames)
      for (const name of hyperparametersOf(recipe)) {
        const usual = hyperparameters[name].parse(undefined);
        const definition = parse({
          ...named,
          recipes: [recipe],
          hyperparameters: { [name]: { mode: 'values', text: String(usual) } },
        });
        expect(definition.space).toEqual({ [name]: usual });
      }
  });

  it('leaves out hyperparameters that none of the chosen recipes reads', () => {
    const draft: Draft = {
      ...named,
      recipes: ['classic'],
      hyperparameters: { gamma: { mode: 'values', text: '1, 5' } },
    };
    expect(draftInput(draft).space).toEqual({});
  });

  it('reads values and ranges', () => {
    const draft: Draft = {
      ...named,
      seeds: '3, 7',
      hyperparameters: {
        gamma: { mode: 'values', text: '1, 5,10' },
        beta: { mode: 'range', min: '0.001', max: '0.1', count: '3', scale: 'log' },
        lossScale: { mode: 'values', text: 'mse, norm' },
      },
    };
    const { space, seeds } = parse(draft);
    expect(seeds).toEqual([3, 7]);
    expect(space).toEqual({
      gamma: [1, 5, 10],
      beta: { min: 0.001, max: 0.1, count: 3, scale: 'log' },
      lossScale: ['mse', 'norm'],
    });
  });

  it('survives a round trip through its definition', () => {
    const definition = SweepDefinition.parse({
      name: 'all of it',
      description: 'why',
      recipes: ['funn', 'classic'],
      dataset: { name: 'mnist', train: 1000, test: 500, attack: 100 },
      space: {
        gamma: [1, 5],
        beta: { min: 0.001, max: 0.1, count: 5, scale: 'log' },
        filters: ['16-32', '32-64'],
        latent: 32,
      },
      search: { strategy: 'random', trials: 12, seed: 4 },
      seeds: [2, 3],
      attacks: ['fgsm', { attack: 'pgd-linf', epsilon: 0.1, restarts: 3 }],
      objective: { attack: 'pgd-linf', metric: 'medianL2' },
      priority: 70,
    });
    expect(expanded(parse(definitionDraft(definition)))).toEqual(expanded(definition));
  });

  it('has one objective as an object, and several as a list', () => {
    const [clean, robust] = [
      { metric: 'cleanAccuracy' as const },
      { attack: 'pgd-linf' as const, metric: 'medianL2' as const, direction: 'min' as const },
    ];
    expect(draftInput({ ...named, objectives: [clean] }).objective).toEqual(clean);
    expect(draftInput({ ...named, objectives: [clean, robust] }).objective).toEqual([clean, robust]);
    expect(draftInput(named)).not.toHaveProperty('objective');
    for (const objective of [clean, [clean, robust]]) {
      const definition = SweepDefinition.parse({ ...draftInput(named), objective });
      expect(parse(definitionDraft(definition)).objective).toEqual(objective);
    }
  });

  it('shows a range with few steps as its values', () => {
    const { space } = SweepDefinition.parse({
      name: 'x',
      dataset: { name: 'glyphs' },
      space: { gamma: { min: 1, max: 5, step: 2 } },
    });
    const definition = SweepDefinition.parse({ name: 'x', dataset: { name: 'glyphs' }, space });
    expect(parse(definitionDraft(definition)).space).toEqual({ gamma: [1, 3, 5] });
  });

  it('keeps a range of 100,000,001 steps as it is, without listing its values', () => {
    const space = { gamma: { min: 0, max: 1e6, step: 0.01, scale: 'linear' as const } };
    const search = { strategy: 'random' as const, trials: 3 };
    const definition = SweepDefinition.parse({ name: 'x', dataset: { name: 'glyphs' }, space, search });
    expect(parse(definitionDraft(definition)).space).toEqual(space);
  });
});

describe('an error', () => {
  const issues = (draft: Draft) => issuesOf(parseSweep(draftInput(draft)).issues);

  it('is shown at its hyperparameter', () => {
    const found = issues({
      ...named,
      hyperparameters: {
        gamma: { mode: 'values', text: '1, minus' },
        latent: { mode: 'values', text: '64' },
      },
    });
    expect(issueAt(found, 'space.gamma')).toBe('Expected a number, but got "minus"');
    expect(issueAt(found, 'space.latent')).toBeNull();
  });

  it('names the wrong end of a range', () => {
    const found = issues({
      ...named,
      hyperparameters: { gamma: { mode: 'range', min: '5', max: '1', count: '3', scale: 'linear' } },
    });
    expect(issueAt(found, 'space.gamma')).toBe('Expected min <= max, but got min=5, max=1');
  });

  it('is found in a setting of an attack', () => {
    const found = issues({
      ...named,
      preset: null,
      attacks: [{ attack: 'pgd-linf', settings: { epsilon: -1 } }],
    });
    expect(issueAt(found, 'attacks[0].epsilon')).toBe('Expected more than 0, but got -1');
  });
});

describe('a field of the form', () => {
  it('has a title, a description and a default for every hyperparameter', () => {
    for (const name of hyperparameterNames) {
      const field = fieldOf(hyperparameters[name]);
      expect(field.title, name).not.toBe('');
      expect(field.description, name).not.toBe('');
      expect(field.defaultValue, name).toEqual(hyperparameters[name].parse(undefined));
      expect(field.defaultValue, name).toEqual(hyperparameterDeclaration(name).default);
      expect(field.kind === 'number', name).toBe(isNumeric(hyperparameterDeclaration(name)));
      expect(field.integer, name).toBe(hyperparameterDeclaration(name).kind === 'whole');
    }
  });

  it('exists for every setting of every attack, and shows the default that is used', () => {
    for (const name of attackNames) {
      const settings: z.ZodObject = attacks[name].settings;
      const usual = settings.parse({});
      for (const [setting, schema] of Object.entries(settings.shape as Record<string, z.ZodType>)) {
        const field = fieldOf(schema);
        expect(field.title, `${name}.${setting}`).not.toBe('');
        // A setting without a parsed default must declare one.
        const counts = setting in usual ? usual[setting] : field.defaultValue;
        expect(field.defaultValue, `${name}.${setting}`).toEqual(counts);
        expect(schema.safeParse(counts).success, `${name}.${setting}`).toBe(true);
        if (field.kind === 'choice') expect(field.choices, `${name}.${setting}`).toContain(String(counts));
      }
    }
  });

  it('states its range in words, without the bounds of a double', () => {
    expect(fieldOf(hyperparameters.batchSize).range).toBe('1 to 4,096');
    expect(fieldOf(hyperparameters.classifierRate).range).toBe('above 0 to 1');
  });
});

describe('another data set in the form', () => {
  const glyphs = { name: 'glyphs', train: 60_000, test: 10_000 };
  const pets = { name: 'pets', train: 900, test: 120 };

  it('is used whole if the one before was, and brings its own number of attacked images', () => {
    expect(changeDataset(emptyDraft.dataset, glyphs, pets)).toEqual({
      ...{ name: 'pets', train: '900', test: '120', attack: '120' },
    });
    expect(changeDataset({ name: 'pets', train: '900', test: '120', attack: '120' }, pets, glyphs)).toEqual(
      emptyDraft.dataset,
    );
  });

  it('keeps typed numbers, unless it has fewer images, and texts that are no numbers', () => {
    const typed = { name: 'glyphs', train: '500', test: '300', attack: '50' };
    expect(changeDataset(typed, glyphs, pets)).toEqual({
      ...{ name: 'pets', train: '500', test: '120', attack: '50' },
    });
    expect(changeDataset({ ...typed, train: 'many' }, undefined, pets).train).toBe('many');
  });
});
