/** From trials to the stages that they need, each once. Knows nothing of what is done already: that is `settle.ts`. */
import {
  type AttackRun,
  type DatasetSpec,
  expandAttacks,
  Hyperparameters,
  type PlannedTrial,
  type Recipe,
  recipes,
  type StageKind,
  type StageSpec,
  type SweepDefinition,
  type TrialPoint,
} from '@funnel/contracts';
import { expandTrials } from './expand-trials.ts';
import { chainId, configurationId, stageId } from './identity.ts';
import { checkSurrogates, surrogatesOf } from './surrogates.ts';

export type Outline = {
  readonly trials: readonly PlannedTrial[];
  /** Parents before children. */
  readonly stages: readonly StageSpec[];
};

/** Sizes that this kind of stage does not read are set to one, so that they do not tell equal work apart. */
const subset = (kind: StageKind, { name, train, test, attack }: DatasetSpec): DatasetSpec => {
  if (kind === 'attack') return { name, train: 1, test: attack, attack };
  if (kind === 'classify') return { name, train, test, attack: 1 };
  return { name, train, test: 1, attack: 1 };
};

const specify = (stage: Omit<StageSpec, 'id' | 'chain'>, engineVersion: string): StageSpec => {
  const { epochs, ...rest } = stage;
  const chain = chainId(rest, engineVersion);
  return { ...stage, chain, id: stageId(chain, epochs) };
};

/** The line of stages that one trial walks to its classifier. */
const trainingOf = (point: TrialPoint, dataset: DatasetSpec, engineVersion: string): readonly StageSpec[] => {
  const all = Hyperparameters.parse(point.hyperparameters);
  const recipe: Recipe = recipes[point.recipe];
  const line: StageSpec[] = [];
  for (const { kind, reads, epochs } of recipe.stages) {
    const hyperparameters = Object.fromEntries(reads.map((name) => [name, all[name]]));
    const parent = line.at(-1)?.id ?? null;
    const { recipe: name, seed } = point;
    line.push(
      specify(
        {
          kind,
          recipe: name,
          hyperparameters,
          seed,
          dataset: subset(kind, dataset),
          epochs: epochs(all),
          parent,
          attack: null,
          surrogates: [],
        },
        engineVersion,
      ),
    );
  }
  return line;
};

/** Every attack on the classifier of one trial. */
const attacksOn = (
  classifier: string,
  { recipe, seed }: TrialPoint,
  dataset: DatasetSpec,
  runs: readonly AttackRun[],
  classifiers: readonly string[],
  engineVersion: string,
): readonly StageSpec[] =>
  runs.map((attack) =>
    specify(
      {
        kind: 'attack',
        recipe,
        hyperparameters: {},
        seed,
        dataset: subset('attack', dataset),
        epochs: 0,
        parent: classifier,
        attack,
        surrogates: [...surrogatesOf(attack, classifier, classifiers)],
      },
      engineVersion,
    ),
  );

/** All trials of a sweep and all stages that any of them needs. Throws what `expandTrials` and `checkSurrogates` throw. */
export const outlineSweep = (definition: SweepDefinition, engineVersion: string): Outline => {
  const { dataset } = definition;
  const attackRuns = expandAttacks(definition.attacks, { dataset: dataset.name });
  const trained = expandTrials(definition).map((point) => ({
    point,
    line: trainingOf(point, dataset, engineVersion),
  }));
  const classifiers = [...new Set(trained.map(({ line }) => line.at(-1)!.id))];
  checkSurrogates(definition, attackRuns, classifiers);
  const stages = new Map<string, StageSpec>();
  const trials = trained.map(({ point, line }, number) => {
    const attacked = attacksOn(line.at(-1)!.id, point, dataset, attackRuns, classifiers, engineVersion);
    const walked = [...line, ...attacked];
    for (const stage of walked) stages.set(stage.id, stage);
    return {
      ...point,
      number,
      configuration: configurationId(point),
      stages: walked.map((stage) => stage.id),
    };
  });
  return { trials, stages: [...stages.values()] };
};
