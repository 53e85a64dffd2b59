/**
 * Finds the stages that the trials of a sweep need, each once. The outline does not know which results already exist: see `build-plan.ts`.
 */
import {
  AppError,
  type AttackRun,
  type AttackSettings,
  attacks,
  budgetsOfChoice,
  type DatasetSpec,
  defaultHyperparameters,
  expandAttacks,
  type NeededStage,
  needsSurrogates,
  type PlannedTrial,
  type Recipe,
  type RecipeName,
  recipes,
  type StageKind,
  type StageSpec,
  type SweepDefinition,
  stageDataset,
  sweepDataset,
  type TrialPoint,
} from '@funnel/contracts';
import { expandSweep, type SpaceReport } from './expand-trials.ts';
import {
  chainId,
  configurationId,
  identifyingHyperparameters,
  presentVersions,
  stageId,
} from './identity.ts';
import { createNeeds } from './needs.ts';

/*
 * The surrogates of a transfer attack are the first other classifiers of the sweep, in the order of the trials. All trials of a sweep thus
 * use the same few surrogates, and n trials need n × `surrogates` links, not n².
 */

/** The number of surrogates that an attack uses; 0 for attacks that use none. */
const surrogateCount = ({ attack, settings }: AttackRun): number =>
  needsSurrogates(attacks[attack]) ? (settings as AttackSettings<'transfer-linf'>).surrogates : 0; // the declaration of the attack has parsed them

/**
 * The ids of the surrogates, sorted, so that the order of the trials does not matter. `classifiers`: all different, in the order of the
 * trials.
 */
const surrogatesOf = (
  attack: AttackRun,
  attacked: string,
  classifiers: readonly string[],
): readonly string[] => {
  const count = surrogateCount(attack);
  if (count === 0) return [];
  return classifiers
    .slice(0, count + 1)
    .filter((id) => id !== attacked)
    .slice(0, count)
    .sort();
};

/** Throws INVALID_REQUEST if an attack needs another classifier and the sweep has only one. */
const checkSurrogates = (
  { attacks: list }: SweepDefinition,
  runs: readonly AttackRun[],
  classifiers: readonly string[],
): void => {
  const transfer = runs.find((run) => surrogateCount(run) > 0);
  if (!transfer || classifiers.length > 1) return;
  const expected = `a sweep of at least two classifiers, since ${transfer.attack} makes its images on the classifiers of other trials`;
  const received = `${classifiers.length}`;
  throw new AppError(
    'INVALID_REQUEST',
    `Expected ${expected}, but got ${received}. Add a seed or a value, or remove the transfer attacks from the list.`,
    { issues: [{ path: 'preset' in list ? 'attacks.preset' : 'attacks', expected, received }] },
  );
};

export type Outline = {
  readonly trials: readonly PlannedTrial[];
  /** Parents before children. */
  readonly stages: readonly NeededStage[];
  readonly report: SpaceReport;
};

/** Computes a value once for each key, so that trials share the same object. */
const memoize = <K, V>(make: (key: K) => V): ((key: K) => V) => {
  const values = new Map<K, V>();
  return (key) => {
    if (!values.has(key)) values.set(key, make(key));
    return values.get(key)!;
  };
};

/** Sets the sizes that this kind of stage does not read to one, so that they do not change its identity. */
const subset = (kind: StageKind, dataset: DatasetSpec): DatasetSpec => {
  if (kind === 'attack') return { ...dataset, train: 1, test: dataset.attack };
  if (kind === 'classify') return { ...dataset, attack: 1 };
  return { ...dataset, test: 1, attack: 1 };
};

const specify = (stage: Omit<NeededStage, 'id' | 'chain'>, engineVersion: string): NeededStage => {
  const { kind, recipe, hyperparameters, seed, dataset, epochs, parent, attack, surrogates, need } = stage;
  const chain = chainId(stage, presentVersions(stage, engineVersion));
  const id = stageId(chain, epochs);
  return {
    kind,
    recipe,
    hyperparameters,
    seed,
    dataset,
    epochs,
    parent,
    attack,
    surrogates,
    need,
    chain,
    id,
  };
};

/** What all stages of a sweep are made with. */
type Making = {
  readonly subsetOf: (kind: StageKind) => DatasetSpec;
  readonly needOf: ReturnType<typeof createNeeds>;
  readonly engineVersion: string;
};

type Step = {
  readonly kind: StageKind;
  readonly hyperparameters: StageSpec['hyperparameters'];
  readonly epochs: number;
  /** The stages of the step, by their parent, or by the seed if they have no parent. */
  readonly specs: Map<string, NeededStage>;
};

/**
 * The steps of a point in order, with the hyperparameters that each step reads. Points that agree on these share the step; all seeds share
 * it too.
 */
const createSteps = (): ((point: TrialPoint) => readonly Step[]) => {
  const stepsOf = memoize((name: RecipeName) =>
    (recipes[name] as Recipe).stages.map((stage) => ({ stage, steps: new Map<string, Step>() })),
  );
  return ({ recipe, hyperparameters }) => {
    const all = { ...defaultHyperparameters, ...hyperparameters };
    return stepsOf(recipe).map(({ stage: { kind, reads, epochs: epochsOf }, steps }) => {
      const epochs = epochsOf(all);
      const key = JSON.stringify([epochs, ...reads.map((hyperparameter) => all[hyperparameter])]);
      const same = steps.get(key);
      if (same) return same;
      const read = identifyingHyperparameters(
        Object.fromEntries(reads.map((hyperparameter) => [hyperparameter, all[hyperparameter]])),
      ) as StageSpec['hyperparameters']; // it drops fields, and sets none to undefined
      const step = { kind, hyperparameters: read, epochs, specs: new Map<string, NeededStage>() };
      steps.set(key, step);
      return step;
    });
  };
};

/** The stages of one trial up to its classifier. */
const trainingOf = (
  { recipe, seed, hyperparameters: point }: TrialPoint,
  steps: readonly Step[],
  { subsetOf, needOf, engineVersion }: Making,
): readonly NeededStage[] => {
  const all = { ...defaultHyperparameters, ...point };
  const stages: NeededStage[] = [];
  let parent: StageSpec['parent'] = null;
  for (const { kind, hyperparameters, epochs, specs } of steps) {
    const key = parent ?? `${seed}`;
    let stage = specs.get(key);
    if (!stage) {
      const dataset = subsetOf(kind);
      const need = needOf({ kind, recipe, dataset, attack: null }, all);
      stage = specify(
        { kind, recipe, hyperparameters, seed, dataset, epochs, parent, attack: null, surrogates: [], need },
        engineVersion,
      );
      specs.set(key, stage);
    }
    stages.push(stage);
    parent = stage.id;
  }
  return stages;
};

/** Attacks read no hyperparameters. */
const noHyperparameters = {};

/** Every attack on the classifier of one trial. */
const attacksOn = (
  classifier: string,
  { recipe, seed, hyperparameters }: TrialPoint,
  runs: readonly AttackRun[],
  classifiers: readonly string[],
  { subsetOf, needOf, engineVersion }: Making,
): readonly NeededStage[] => {
  const all = { ...defaultHyperparameters, ...hyperparameters };
  const dataset = subsetOf('attack');
  return runs.map((attack) =>
    specify(
      {
        kind: 'attack',
        recipe,
        hyperparameters: noHyperparameters,
        seed,
        dataset,
        epochs: 0,
        parent: classifier,
        attack,
        surrogates: [...surrogatesOf(attack, classifier, classifiers)],
        need: needOf({ kind: 'attack', recipe, dataset, attack }, all),
      },
      engineVersion,
    ),
  );
};

/**
 * All trials of a sweep and all stages that any of them needs. Throws like `countTrials` and `sweepDataset`, and INVALID_REQUEST if there is
 * no surrogate for an attack.
 */
export const outlineSweep = (definition: SweepDefinition, engineVersion: string): Outline => {
  const dataset = stageDataset(sweepDataset(definition.dataset));
  const attackRuns = expandAttacks(definition.attacks, { budgets: budgetsOfChoice(definition.dataset) });
  const making: Making = {
    subsetOf: memoize((kind: StageKind) => subset(kind, dataset)),
    needOf: createNeeds(engineVersion),
    engineVersion,
  };
  const { trials: points, report } = expandSweep(definition);
  const stepsOf = createSteps();
  const commonOf = (point: TrialPoint) => ({
    hyperparameters: point.hyperparameters,
    steps: stepsOf(point),
    configuration: configurationId(point),
  });
  // The seeds of a point are consecutive and share one object `hyperparameters`.
  let common: ReturnType<typeof commonOf> | undefined;
  const trained = points.map((point) => {
    if (common?.hyperparameters !== point.hyperparameters) common = commonOf(point);
    const { steps, configuration } = common;
    return { point, configuration, training: trainingOf(point, steps, making) };
  });
  const classifiers = [...new Set(trained.map(({ training }) => training.at(-1)!.id))];
  checkSurrogates(definition, attackRuns, classifiers);
  const stages = new Map<string, NeededStage>();
  const trials = trained.map(({ point, configuration, training }, number) => {
    const attacksOfTrial = attacksOn(training.at(-1)!.id, point, attackRuns, classifiers, making);
    const stagesOfTrial = [...training, ...attacksOfTrial];
    for (const stage of stagesOfTrial) stages.set(stage.id, stage);
    return {
      ...point,
      number,
      configuration,
      stages: stagesOfTrial.map((stage) => stage.id),
    };
  });
  return { trials, stages: [...stages.values()], report };
};
