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
  expandAttacks,
  type NeededStage,
  needsSurrogates,
  type PlannedTrial,
  type StageKind,
  type SweepDefinition,
  stageDataset,
  sweepDataset,
  type TrialPoint,
} from '@funnel/contracts';
import {
  type DecidedPoint,
  type Expansion,
  expandPoints,
  expandSweep,
  type SpaceReport,
  trialsOf,
} from './expand-trials.ts';
import { configurationId } from './identity.ts';
import { memoize, memoizeBy, once } from './memoize.ts';
import type { NeedOf } from './needs.ts';
import { type Making, type Sized, specify, trainAll } from './training.ts';

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

/**
 * A large sweep has far more attacks than training stages, and an identity costs two hashes. A plan needs only the attacks on classifiers that
 * the database has. So trials, and the stages of all attacks, are made when they are first read.
 */
export type Outline = {
  readonly report: SpaceReport;
  readonly counts: {
    readonly trials: number;
    /** Epochs if trials shared no stage. */
    readonly unshared: number;
    /** Images that an attack gets. */
    readonly attackedImages: number;
  };
  /** The training stages, parents before children. */
  readonly training: readonly NeededStage[];
  /** For each training stage: the sizes of the first trial that needs it. Equal sizes are one object. */
  readonly sized: readonly Sized[];
  /** The training stages that are attacked, in the order of the trials. */
  readonly classifiers: readonly NeededStage[];
  /** All attacks of the sweep. */
  readonly attacks: readonly AttackRun[];
  /** The attacks on a classifier. Equal lists are one object. */
  readonly attacksOf: (classifier: NeededStage) => readonly AttackRun[];
  /** The stages of these attacks. */
  readonly attacksOn: (classifier: NeededStage) => readonly NeededStage[];
  readonly trials: readonly PlannedTrial[];
  /** All stages, trial by trial, parents before children. */
  readonly stages: readonly NeededStage[];
};

/** Sets the sizes that this kind of stage does not read to one, so that they do not change its identity. */
const subset = (kind: StageKind, dataset: DatasetSpec): DatasetSpec => {
  if (kind === 'attack') return { ...dataset, train: 1, test: dataset.attack };
  if (kind === 'classify') return { ...dataset, attack: 1 };
  return { ...dataset, test: 1, attack: 1 };
};

/** Attacks read no hyperparameters. */
const noHyperparameters = {};

/** Every attack on a classifier. `classifiers`: the ids of all. */
const specifyAttacks = (
  { id, recipe, seed }: NeededStage,
  needOf: NeedOf,
  {
    attacks,
    classifiers,
  }: { readonly attacks: readonly AttackRun[]; readonly classifiers: readonly string[] },
  { subsetOf, engineVersion }: Making,
): readonly NeededStage[] => {
  const kind = 'attack';
  const dataset = subsetOf(kind);
  return attacks.map((attack) =>
    specify(
      {
        kind,
        recipe,
        hyperparameters: noHyperparameters,
        seed,
        dataset,
        epochs: 0,
        parent: id,
        attack,
        surrogates: [...surrogatesOf(attack, id, classifiers)],
        need: needOf({ kind, recipe, attack }),
      },
      engineVersion,
    ),
  );
};

/** The attacks on a classifier: those of the point that trains it. */
const createAttacksOf = (
  { points, seeds }: Expansion,
  trained: readonly (readonly NeededStage[])[],
  all: readonly AttackRun[],
): Outline['attacksOf'] => {
  const own = new Map<NeededStage, readonly AttackRun[]>();
  for (const [place, stages] of trained.entries()) {
    const { attacks } = points[Math.floor(place / seeds.length)]!;
    if (attacks) own.set(stages.at(-1)!, attacks);
  }
  return (classifier) => own.get(classifier) ?? all;
};

/** The number of these classifiers that each attack attacks. */
export const countAttacked = (
  { attacksOf }: Pick<Outline, 'attacksOf'>,
  classifiers: readonly NeededStage[],
): ReadonlyMap<AttackRun, number> => {
  const lists = new Map<readonly AttackRun[], number>();
  for (const classifier of classifiers) {
    const list = attacksOf(classifier);
    lists.set(list, (lists.get(list) ?? 0) + 1);
  }
  const counts = new Map<AttackRun, number>();
  for (const [list, count] of lists)
    for (const attack of list) counts.set(attack, (counts.get(attack) ?? 0) + count);
  return counts;
};

/** The trials with the ids of their stages. `first`: the number of the first trial. */
const planTrials = (
  points: readonly TrialPoint[],
  trained: readonly (readonly NeededStage[])[],
  attacksOn: Outline['attacksOn'],
): readonly PlannedTrial[] => {
  let configuration = '';
  return points.map((point, number) => {
    const { recipe, hyperparameters, seed } = point;
    if (hyperparameters !== points[number - 1]?.hyperparameters) configuration = configurationId(point);
    const training = trained[number]!;
    const stages = [...training, ...attacksOn(training.at(-1)!)].map(({ id }) => id);
    return { recipe, hyperparameters, seed, number, configuration, stages };
  });
};

const allStages = (
  trained: readonly (readonly NeededStage[])[],
  attacksOn: Outline['attacksOn'],
): readonly NeededStage[] => {
  const stages = new Set<NeededStage>();
  for (const training of trained) {
    for (const stage of training) stages.add(stage);
    for (const stage of attacksOn(training.at(-1)!)) stages.add(stage);
  }
  return [...stages];
};

type Request = {
  readonly definition: SweepDefinition;
  readonly engineVersion: string;
  readonly expansion: Expansion;
  readonly varying: ReadonlySet<string>;
};

const outlineExpansion = ({ definition, engineVersion, expansion, varying }: Request): Outline => {
  const dataset = stageDataset(sweepDataset(definition.dataset));
  const attacks = expandAttacks(definition.attacks, { budgets: budgetsOfChoice(definition.dataset) });
  const subsetOf = memoizeBy(
    (kind: StageKind) => kind,
    (kind) => subset(kind, dataset),
  );
  const making: Making = { subsetOf, engineVersion, varying };
  const { trained, training, sized } = trainAll(expansion, making);
  const classifiers = [...new Set(trained.map((stages) => stages.at(-1)!))];
  const ids = classifiers.map(({ id }) => id);
  checkSurrogates(definition, attacks, ids);
  const places = once(() => new Map(training.map((stage, place) => [stage, place])));
  const attacksOf = createAttacksOf(expansion, trained, attacks);
  const attacksOn = memoize((classifier: NeededStage) => {
    const { needOf } = sized[places().get(classifier)!]!;
    return specifyAttacks(classifier, needOf, { attacks: attacksOf(classifier), classifiers: ids }, making);
  });
  const trials = once(() => planTrials(trialsOf(expansion), trained, attacksOn));
  const stages = once(() => allStages(trained, attacksOn));
  let unshared = 0;
  for (const stages of trained) for (const { epochs } of stages) unshared += epochs;
  return {
    report: expansion.report,
    counts: { trials: trained.length, unshared, attackedImages: dataset.attack },
    training,
    sized,
    classifiers,
    attacks,
    attacksOf,
    attacksOn,
    get trials() {
      return trials();
    },
    get stages() {
      return stages();
    },
  };
};

/**
 * All trials of a sweep and all stages that any of them needs, for a grid or random draws. Throws like `countTrials` and `sweepDataset`, and
 * INVALID_REQUEST if there is no surrogate for an attack.
 */
export const outlineSweep = (definition: SweepDefinition, engineVersion: string): Outline =>
  outlineExpansion({
    definition,
    engineVersion,
    expansion: expandSweep(definition),
    varying: new Set(Object.keys(definition.space)),
  });

/**
 * The trials of these points of a sweep, and all stages that any of them needs. Throws like `outlineSweep`.
 */
export const outlinePoints = (
  definition: SweepDefinition,
  engineVersion: string,
  points: readonly DecidedPoint[],
): Outline =>
  outlineExpansion({
    definition,
    engineVersion,
    expansion: expandPoints(definition, points),
    varying: new Set(points.flatMap(({ hyperparameters }) => Object.keys(hyperparameters))),
  });

/** The epochs of all chains if none of them is in the database. */
export const distinctEpochs = ({ training }: Pick<Outline, 'training'>): number => {
  const lengths = new Map<string, number>();
  for (const { chain, epochs } of training) lengths.set(chain, Math.max(epochs, lengths.get(chain) ?? 0));
  return [...lengths.values()].reduce((sum, epochs) => sum + epochs, 0);
};
