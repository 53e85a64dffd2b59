/** A sweep in the form: every number is still the text that the user typed. */
import {
  type AttackName,
  budgetsOfChoice,
  type DatasetEntry,
  expandAttacks,
  type HyperparameterName,
  type HyperparameterValue,
  hyperparameterDeclaration,
  hyperparameterNames,
  hyperparametersOf,
  listObjectives,
  type Objective,
  type PresetName,
  type RecipeName,
  type SweepDefinition,
  type SweepDetail,
  type SweepInput,
  type TrialDetail,
} from '@funnel/contracts';
import { emptySearch, type SearchDraft, searchDraft, searchInput } from './search-draft.ts';
import { hyperparameterValueOf, listOf, numberOf } from './typed.ts';

export type HyperparameterDraft =
  | { readonly mode: 'default' }
  /** Values separated by commas. */
  | { readonly mode: 'values'; readonly text: string }
  | {
      readonly mode: 'range';
      readonly min: string;
      readonly max: string;
      /** Empty: `step` decides. */
      readonly count: string;
      /** Kept for ranges with too many steps to list. Without count and step, the range is continuous (random search). */
      readonly step?: number;
      readonly scale: 'linear' | 'log';
    };

export type AttackDraft = {
  readonly attack: AttackName;
  readonly settings: Readonly<Record<string, unknown>>;
};

export type Draft = {
  readonly name: string;
  readonly description: string;
  readonly recipes: readonly RecipeName[];
  readonly dataset: {
    readonly name: string;
    readonly train: string;
    readonly test: string;
    readonly attack: string;
  };
  readonly hyperparameters: Readonly<Partial<Record<HyperparameterName, HyperparameterDraft>>>;
  readonly search: SearchDraft;
  /** A number of seeds, or a list of seeds separated by commas. */
  readonly seeds: string;
  readonly preset: PresetName | null;
  readonly attacks: readonly AttackDraft[];
  /** Empty: the default objective. */
  readonly objectives: readonly Objective[];
  readonly priority: string;
  /** Empty: no limit. */
  readonly maxRunning: string;
};

export const emptyDraft: Draft = {
  name: '',
  description: '',
  recipes: ['funn'],
  dataset: { name: 'glyphs', train: '60000', test: '10000', attack: '1000' },
  hyperparameters: {},
  search: emptySearch,
  seeds: '1',
  preset: 'quick',
  attacks: [],
  objectives: [],
  priority: '50',
  maxRunning: '',
};

const usualAttacked = 1000;

type Sizes = Pick<DatasetEntry, 'name' | 'train' | 'test'>;

/** All images of a data set; attacks run on the first 1,000 test images, as by default (§4.2). */
const allImagesOf = ({ name, train, test }: Sizes): Draft['dataset'] => ({
  name,
  train: String(train),
  test: String(test),
  attack: String(Math.min(usualAttacked, test)),
});

/** Another data set in the form. Numbers that were typed stay, unless the data set has fewer images. `before`: the one chosen until now. */
export const changeDataset = (
  typed: Draft['dataset'],
  before: Sizes | undefined,
  next: Sizes,
): Draft['dataset'] => {
  const all = allImagesOf(next);
  const usual = before && allImagesOf(before);
  const sizeOf = (size: 'train' | 'test' | 'attack'): string =>
    typed[size] === usual?.[size] || Number(typed[size]) > Number(all[size]) ? all[size] : typed[size];
  return { name: next.name, train: sizeOf('train'), test: sizeOf('test'), attack: sizeOf('attack') };
};

const hyperparameterInput = (name: HyperparameterName, hyperparameter: HyperparameterDraft): unknown => {
  if (hyperparameter.mode === 'default') return undefined;
  if (hyperparameter.mode === 'range')
    return {
      min: numberOf(hyperparameter.min),
      max: numberOf(hyperparameter.max),
      ...(hyperparameter.count.trim() !== ''
        ? { count: numberOf(hyperparameter.count) }
        : hyperparameter.step !== undefined && { step: hyperparameter.step }),
      scale: hyperparameter.scale,
    };
  const values = listOf(hyperparameter.text).map((part) => hyperparameterValueOf(name, part));
  return values.length === 1 ? values[0] : values;
};

const seedsInput = (text: string): unknown => {
  const parts = listOf(text).map(numberOf);
  return text.includes(',') ? parts : parts[0];
};

/** The input of `createSweep`. Fields with their default are left out, so that a file made from it is short. */
export const draftInput = (draft: Draft): Record<string, unknown> => {
  const read = new Set(draft.recipes.flatMap((recipe) => hyperparametersOf(recipe)));
  const space = Object.fromEntries(
    hyperparameterNames.flatMap((name) => {
      const hyperparameter = draft.hyperparameters[name];
      const value = hyperparameter && read.has(name) ? hyperparameterInput(name, hyperparameter) : undefined;
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const { dataset, objectives } = draft;
  const search = searchInput(draft.search);
  return {
    name: draft.name,
    ...(draft.description === '' ? {} : { description: draft.description }),
    recipes: [...draft.recipes],
    dataset: {
      name: dataset.name,
      train: numberOf(dataset.train),
      test: numberOf(dataset.test),
      attack: numberOf(dataset.attack),
    },
    space,
    ...(search && { search }),
    seeds: seedsInput(draft.seeds),
    attacks:
      draft.preset === null
        ? draft.attacks.map(({ attack, settings }) => ({ attack, ...settings }))
        : { preset: draft.preset },
    ...(objectives.length === 0 ? {} : { objective: objectives.length === 1 ? objectives[0] : objectives }),
    ...(draft.priority === '50' ? {} : { priority: numberOf(draft.priority) }),
    ...(draft.maxRunning.trim() === '' ? {} : { maxRunning: numberOf(draft.maxRunning) }),
  };
};

const isDefault = (name: HyperparameterName, value: HyperparameterValue): boolean =>
  value === hyperparameterDeclaration(name).default;

/** Ranges with at most this many steps are shown as values. */
const maxListed = 100;

const hyperparameterDraft = (name: HyperparameterName, dimension: unknown): HyperparameterDraft => {
  if (typeof dimension === 'object' && dimension !== null && !Array.isArray(dimension)) {
    const { min, max, step, count, scale } = dimension as {
      min: number;
      max: number;
      step?: number;
      count?: number;
      scale: 'linear' | 'log';
    };
    const stepCount = step === undefined ? 0 : Math.floor((max - min) / step + 1e-9) + 1;
    if (step === undefined || stepCount > maxListed)
      return {
        mode: 'range',
        min: String(min),
        max: String(max),
        count: count === undefined ? '' : String(count),
        scale,
        ...(step !== undefined && { step }),
      };
    // A range with few steps is shown as its values, which mean the same.
    const values = Array.from({ length: stepCount }, (_, i) =>
      i === 0 ? min : Math.min(max, Number((min + i * step).toPrecision(15))),
    );
    return { mode: 'values', text: values.join(', ') };
  }
  const values = (Array.isArray(dimension) ? dimension : [dimension]) as HyperparameterValue[];
  return values.length === 1 && isDefault(name, values[0]!)
    ? { mode: 'default' }
    : { mode: 'values', text: values.join(', ') };
};

/** The draft of a definition: the inverse of `draftInput`. */
export const definitionDraft = (definition: SweepDefinition): Draft => {
  const { dataset, search, seeds, attacks } = definition;
  const isCount = seeds.every((seed, i) => seed === i);
  const list = 'preset' in attacks ? [] : expandAttacks(attacks, { budgets: budgetsOfChoice(dataset) });
  return {
    name: definition.name,
    description: definition.description,
    recipes: definition.recipes,
    dataset: {
      name: dataset.name,
      train: String(dataset.train ?? ''),
      test: String(dataset.test ?? ''),
      attack: String(dataset.attack ?? ''),
    },
    hyperparameters: Object.fromEntries(
      Object.entries(definition.space).map(([name, dimension]) => [
        name,
        hyperparameterDraft(name as HyperparameterName, dimension),
      ]),
    ),
    search: searchDraft(search),
    seeds: isCount ? String(seeds.length) : seeds.join(', '),
    preset: 'preset' in attacks ? attacks.preset : null,
    attacks: list.map(({ attack, settings }) => ({ attack, settings })),
    objectives: listObjectives(definition.objective),
    priority: String(definition.priority),
    maxRunning: String(definition.maxRunning ?? ''),
  };
};

/** A sweep with this one trial, to start from. Without changes, none of its stages would be trained again. */
export const trialDefinition = (trial: TrialDetail, sweep: SweepDetail | undefined): SweepInput => ({
  name: `${sweep?.name ?? 'Sweep'}, trial ${trial.number} again`,
  recipes: [trial.recipe],
  dataset: sweep?.definition.dataset ?? { name: trial.dataset },
  // The same declarations produced these values and check them again.
  space: trial.hyperparameters as SweepInput['space'],
  seeds: [trial.seed],
  // The schema accepts its own output.
  attacks: (sweep?.definition.attacks ?? { preset: 'quick' }) as SweepInput['attacks'],
});
