/**
 * Which classifiers a transfer attack makes its images on: the first ones of the sweep that are not the attacked one, in the order of
 * the trials. So every trial of a sweep is attacked from the same few networks (the one or two that are among them, from the next), and
 * a sweep of n trials has n × `surrogates` such edges, not n².
 */
import {
  AppError,
  type AttackRun,
  type AttackSettings,
  attacks,
  type DatasetSpec,
  defaultHyperparameters,
  expandAttacks,
  needsSurrogates,
  type PlannedTrial,
  type Recipe,
  type RecipeName,
  recipes,
  type StageKind,
  type StageSpec,
  type SweepDefinition,
  type TrialPoint,
} from '@funnel/contracts';
import { expandSweep, type SpaceReport } from './expand-trials.ts';
import { chainId, configurationId, stageId } from './identity.ts';

/** How many the attack asks for; 0: it needs none. */
const wanted = ({ attack, settings }: AttackRun): number =>
  needsSurrogates(attacks[attack]) ? (settings as AttackSettings<'transfer-linf'>).surrogates : 0; // parsed by the attack's declaration

/** Stage ids, sorted, so that the order of the trials does not tell equal sets apart. `classifiers`: distinct, first trial first. */
export const surrogatesOf = (
  attack: AttackRun,
  attacked: string,
  classifiers: readonly string[],
): readonly string[] => {
  const most = wanted(attack);
  if (most === 0) return [];
  return classifiers
    .slice(0, most + 1)
    .filter((id) => id !== attacked)
    .slice(0, most)
    .sort();
};

/** Throws INVALID_REQUEST where an attack needs another classifier and the sweep has but one. */
export const checkSurrogates = (
  { attacks: written }: SweepDefinition,
  runs: readonly AttackRun[],
  classifiers: readonly string[],
): void => {
  const needy = runs.find((run) => wanted(run) > 0);
  if (!needy || classifiers.length > 1) return;
  const expected = `a sweep of at least two classifiers, since ${needy.attack} makes its images on those of other trials`;
  const received = `${classifiers.length}`;
  throw new AppError(
    'INVALID_REQUEST',
    `Expected ${expected}, but got ${received}. Add a seed or a value, or list the attacks without the transfer ones.`,
    { issues: [{ path: 'preset' in written ? 'attacks.preset' : 'attacks', expected, received }] },
  );
};

/** From trials to the stages that they need, each once. Knows nothing of what is done already: that is `build-plan.ts`. */

export type Outline = {
  readonly trials: readonly PlannedTrial[];
  /** Parents before children. */
  readonly stages: readonly StageSpec[];
  readonly report: SpaceReport;
};

/** Computed once for each key: what many trials have in common is one object. */
const remember = <K, V>(make: (key: K) => V): ((key: K) => V) => {
  const made = new Map<K, V>();
  return (key) => {
    if (!made.has(key)) made.set(key, make(key));
    return made.get(key)!;
  };
};

/** Sizes that this kind of stage does not read are set to one, so that they do not tell equal work apart. */
const subset = (kind: StageKind, { name, train, test, attack }: DatasetSpec): DatasetSpec => {
  if (kind === 'attack') return { name, train: 1, test: attack, attack };
  if (kind === 'classify') return { name, train, test, attack: 1 };
  return { name, train, test: 1, attack: 1 };
};

const specify = (stage: Omit<StageSpec, 'id' | 'chain'>, engineVersion: string): StageSpec => {
  const { kind, recipe, hyperparameters, seed, dataset, epochs, parent, attack, surrogates } = stage;
  const chain = chainId(stage, engineVersion);
  const id = stageId(chain, epochs);
  return { kind, recipe, hyperparameters, seed, dataset, epochs, parent, attack, surrogates, chain, id };
};

type Subset = (kind: StageKind) => DatasetSpec;

type Step = {
  readonly kind: StageKind;
  readonly hyperparameters: StageSpec['hyperparameters'];
  readonly epochs: number;
  /** Its stages, by what else tells them apart: the parent, or where there is none the seed. */
  readonly made: Map<string, StageSpec>;
};

/** What the stages of a point read, in their order. Seeds have it in common, and points that differ in other hyperparameters only. */
const createSteps = (): ((point: TrialPoint) => readonly Step[]) => {
  const stepsOf = remember((name: RecipeName) =>
    (recipes[name] as Recipe).stages.map((stage) => ({ stage, steps: new Map<string, Step>() })),
  );
  return ({ recipe, hyperparameters }) => {
    const all = { ...defaultHyperparameters, ...hyperparameters };
    return stepsOf(recipe).map(({ stage: { kind, reads, epochs: epochsOf }, steps }) => {
      const epochs = epochsOf(all);
      const key = JSON.stringify([epochs, ...reads.map((hyperparameter) => all[hyperparameter])]);
      const same = steps.get(key);
      if (same) return same;
      const read = Object.fromEntries(reads.map((hyperparameter) => [hyperparameter, all[hyperparameter]]));
      const step = { kind, hyperparameters: read, epochs, made: new Map<string, StageSpec>() };
      steps.set(key, step);
      return step;
    });
  };
};

/** The line of stages that one trial walks to its classifier. */
const trainingOf = (
  { recipe, seed }: TrialPoint,
  steps: readonly Step[],
  subsetOf: Subset,
  engineVersion: string,
): readonly StageSpec[] => {
  const line: StageSpec[] = [];
  let parent: StageSpec['parent'] = null;
  for (const { kind, hyperparameters, epochs, made } of steps) {
    const key = parent ?? `${seed}`;
    let stage = made.get(key);
    if (!stage) {
      const dataset = subsetOf(kind);
      stage = specify(
        { kind, recipe, hyperparameters, seed, dataset, epochs, parent, attack: null, surrogates: [] },
        engineVersion,
      );
      made.set(key, stage);
    }
    line.push(stage);
    parent = stage.id;
  }
  return line;
};

/** Attacks read none. */
const noHyperparameters = {};

/** Every attack on the classifier of one trial. */
const attacksOn = (
  classifier: string,
  { recipe, seed }: TrialPoint,
  subsetOf: Subset,
  runs: readonly AttackRun[],
  classifiers: readonly string[],
  engineVersion: string,
): readonly StageSpec[] =>
  runs.map((attack) =>
    specify(
      {
        kind: 'attack',
        recipe,
        hyperparameters: noHyperparameters,
        seed,
        dataset: subsetOf('attack'),
        epochs: 0,
        parent: classifier,
        attack,
        surrogates: [...surrogatesOf(attack, classifier, classifiers)],
      },
      engineVersion,
    ),
  );

/** All trials of a sweep and all stages that any of them needs. Throws what `countTrials` and `checkSurrogates` throw. */
export const outlineSweep = (definition: SweepDefinition, engineVersion: string): Outline => {
  const { dataset } = definition;
  const attackRuns = expandAttacks(definition.attacks, { dataset: dataset.name });
  const subsetOf = remember((kind: StageKind) => subset(kind, dataset));
  const { trials: points, report } = expandSweep(definition);
  const stepsOf = createSteps();
  const commonOf = (point: TrialPoint) => ({
    hyperparameters: point.hyperparameters,
    steps: stepsOf(point),
    configuration: configurationId(point),
  });
  // The seeds of a point follow each other and share one hyperparameters object.
  let common: ReturnType<typeof commonOf> | undefined;
  const trained = points.map((point) => {
    if (common?.hyperparameters !== point.hyperparameters) common = commonOf(point);
    const { steps, configuration } = common;
    return { point, configuration, line: trainingOf(point, steps, subsetOf, engineVersion) };
  });
  const classifiers = [...new Set(trained.map(({ line }) => line.at(-1)!.id))];
  checkSurrogates(definition, attackRuns, classifiers);
  const stages = new Map<string, StageSpec>();
  const trials = trained.map(({ point, configuration, line }, number) => {
    const attacked = attacksOn(line.at(-1)!.id, point, subsetOf, attackRuns, classifiers, engineVersion);
    const walked = [...line, ...attacked];
    for (const stage of walked) stages.set(stage.id, stage);
    return {
      ...point,
      number,
      configuration,
      stages: walked.map((stage) => stage.id),
    };
  });
  return { trials, stages: [...stages.values()], report };
};
