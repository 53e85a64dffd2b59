/** A sweep as it is being typed: every number still a text, every hyperparameter in the way that it was last given. */
import {
  type AttackName,
  type DatasetName,
  type EvaluationMetricName,
  expandAttacks,
  type HyperparameterName,
  type HyperparameterValue,
  hyperparameterDeclaration,
  hyperparameterNames,
  hyperparametersOf,
  isNumeric,
  type PresetName,
  type RecipeName,
  type SweepDefinition,
  type SweepDetail,
  type SweepInput,
  type TrialDetail,
} from '@funnel/contracts';

export type HyperparameterDraft =
  | { readonly mode: 'default' }
  /** Values apart by commas. */
  | { readonly mode: 'values'; readonly text: string }
  | {
      readonly mode: 'range';
      readonly min: string;
      readonly max: string;
      /** Empty: as `step` says. */
      readonly count: string;
      /** Of a walk that is too long to show as values; absent: without a count the range is continuous, for random search. */
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
    readonly name: DatasetName;
    readonly train: string;
    readonly test: string;
    readonly attack: string;
  };
  readonly hyperparameters: Readonly<Partial<Record<HyperparameterName, HyperparameterDraft>>>;
  readonly strategy: 'grid' | 'random';
  readonly randomTrials: string;
  readonly randomSeed: string;
  /** A number of seeds, or seeds apart by commas. */
  readonly seeds: string;
  readonly preset: PresetName | null;
  readonly attacks: readonly AttackDraft[];
  readonly objective: { readonly attack: AttackName; readonly metric: EvaluationMetricName } | null;
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
  strategy: 'grid',
  randomTrials: '20',
  randomSeed: '0',
  seeds: '1',
  preset: 'quick',
  attacks: [],
  objective: null,
  priority: '50',
  maxRunning: '',
};

/** A number where the text is one; else the text, for the schema to refuse by its path. */
const numberOf = (text: string): number | string =>
  text.trim() !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

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
  const numeric = isNumeric(hyperparameterDeclaration(name));
  const values = listOf(hyperparameter.text).map((part) => (numeric ? numberOf(part) : part));
  return values.length === 1 ? values[0] : values;
};

const seedsInput = (text: string): unknown => {
  const parts = listOf(text).map(numberOf);
  return text.includes(',') ? parts : parts[0];
};

/** What is sent: only what was said, so that a file made from it is as short as one written by hand. */
export const draftInput = (draft: Draft): Record<string, unknown> => {
  const read = new Set(draft.recipes.flatMap((recipe) => hyperparametersOf(recipe)));
  const space = Object.fromEntries(
    hyperparameterNames.flatMap((name) => {
      const hyperparameter = draft.hyperparameters[name];
      const value = hyperparameter && read.has(name) ? hyperparameterInput(name, hyperparameter) : undefined;
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const { dataset } = draft;
  const random = {
    strategy: 'random',
    trials: numberOf(draft.randomTrials),
    seed: numberOf(draft.randomSeed),
  };
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
    ...(draft.strategy === 'random' ? { search: random } : {}),
    seeds: seedsInput(draft.seeds),
    attacks:
      draft.preset === null
        ? draft.attacks.map(({ attack, settings }) => ({ attack, ...settings }))
        : { preset: draft.preset },
    ...(draft.objective === null ? {} : { objective: draft.objective }),
    ...(draft.priority === '50' ? {} : { priority: numberOf(draft.priority) }),
    ...(draft.maxRunning.trim() === '' ? {} : { maxRunning: numberOf(draft.maxRunning) }),
  };
};

const isUsual = (name: HyperparameterName, value: HyperparameterValue): boolean =>
  value === hyperparameterDeclaration(name).default;

/** Values of a walk by steps that a line of text still shows. */
const maxWalked = 100;

const hyperparameterDraft = (name: HyperparameterName, dimension: unknown): HyperparameterDraft => {
  if (typeof dimension === 'object' && dimension !== null && !Array.isArray(dimension)) {
    const { min, max, step, count, scale } = dimension as {
      min: number;
      max: number;
      step?: number;
      count?: number;
      scale: 'linear' | 'log';
    };
    const walked = step === undefined ? 0 : Math.floor((max - min) / step + 1e-9) + 1;
    if (step === undefined || walked > maxWalked)
      return {
        mode: 'range',
        min: String(min),
        max: String(max),
        count: count === undefined ? '' : String(count),
        scale,
        ...(step !== undefined && { step }),
      };
    // A short walk by steps is shown as its values: both say the same.
    const values = Array.from({ length: walked }, (_, i) =>
      i === 0 ? min : Math.min(max, Number((min + i * step).toPrecision(15))),
    );
    return { mode: 'values', text: values.join(', ') };
  }
  const values = (Array.isArray(dimension) ? dimension : [dimension]) as HyperparameterValue[];
  return values.length === 1 && isUsual(name, values[0]!)
    ? { mode: 'default' }
    : { mode: 'values', text: values.join(', ') };
};

/** The other way: a definition to go on typing at. */
export const definitionDraft = (definition: SweepDefinition): Draft => {
  const { dataset, search, seeds, attacks } = definition;
  const counted = seeds.every((seed, i) => seed === i);
  const list = 'preset' in attacks ? [] : expandAttacks(attacks, { dataset: dataset.name });
  return {
    name: definition.name,
    description: definition.description,
    recipes: definition.recipes,
    dataset: {
      name: dataset.name,
      train: String(dataset.train),
      test: String(dataset.test),
      attack: String(dataset.attack),
    },
    hyperparameters: Object.fromEntries(
      Object.entries(definition.space).map(([name, dimension]) => [
        name,
        hyperparameterDraft(name as HyperparameterName, dimension),
      ]),
    ),
    strategy: search.strategy,
    randomTrials: search.strategy === 'random' ? String(search.trials) : emptyDraft.randomTrials,
    randomSeed: search.strategy === 'random' ? String(search.seed) : emptyDraft.randomSeed,
    seeds: counted ? String(seeds.length) : seeds.join(', '),
    preset: 'preset' in attacks ? attacks.preset : null,
    attacks: list.map(({ attack, settings }) => ({ attack, settings })),
    objective: definition.objective ?? null,
    priority: String(definition.priority),
    maxRunning: String(definition.maxRunning ?? ''),
  };
};

/** A sweep of this one trial. Submitted as it is, all of its stages are found done: a start to change from. */
export const trialDefinition = (trial: TrialDetail, sweep: SweepDetail | undefined): SweepInput => ({
  name: `${sweep?.name ?? 'Sweep'}, trial ${trial.number} again`,
  recipes: [trial.recipe],
  dataset: sweep?.definition.dataset ?? { name: trial.dataset },
  // The values came from the same declarations that they are checked against again.
  space: trial.hyperparameters as SweepInput['space'],
  seeds: [trial.seed],
  // What the schema put out, it takes in again.
  attacks: (sweep?.definition.attacks ?? { preset: 'quick' }) as SweepInput['attacks'],
});
