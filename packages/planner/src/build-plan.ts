/**
 * Plans the remaining work for the stages of a sweep: the epoch from which each stage starts, given the parts of its chain in the database.
 */
import {
  type Known,
  type KnownChain,
  type NeededStage,
  type Plan,
  type PlannedStage,
  StageKind,
  type SweepPlan,
} from '@funnel/contracts';
import { type Awaited, addUpAwaited } from './awaited.ts';
import { stageId } from './identity.ts';
import type { Outline } from './outline.ts';
import { type SizeOf, sizesOf, type Task, tasksOf } from './seconds.ts';

/** Every field is written out: for thirty thousand stages that is several times as fast as a spread. */
const planStage = (
  spec: NeededStage,
  {
    dependsOn,
    startEpoch,
    passed = false,
    cached = false,
  }: Partial<PlannedStage> & Pick<PlannedStage, 'dependsOn' | 'startEpoch'>,
): PlannedStage => {
  const {
    kind,
    recipe,
    hyperparameters,
    seed,
    dataset,
    epochs,
    parent,
    attack,
    surrogates,
    chain,
    id,
    need,
  } = spec;
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
    chain,
    id,
    need,
    dependsOn,
    startEpoch,
    passed,
    cached,
  };
};

/** Plans the stages of a chain that the database does not have, shortest first: each continues the one before. */
const planNewChain = (targets: readonly NeededStage[]): readonly PlannedStage[] =>
  targets.map((spec, i): PlannedStage => {
    const shorter = targets[i - 1];
    return shorter
      ? planStage(spec, { dependsOn: shorter.id, startEpoch: shorter.epochs })
      : planStage(spec, { dependsOn: spec.parent, startEpoch: 0 });
  });

/**
 * Plans the stages of a chain that the database has in part, shortest first. The first of these cases that holds decides about a stage:
 * - *cached*: the stage is in the database, finished or in progress;
 * - *passed*: a longer run has recorded its epoch;
 * - *carried*: a longer run is in progress and will record its epoch;
 * - otherwise the stage continues from the longest shorter checkpoint, or starts from its parent.
 */
const planKnownChain = (targets: readonly NeededStage[], known: KnownChain): readonly PlannedStage[] => {
  /** The epochs that a stage may continue from, and the stage that must end first (null: none). */
  const continuable = new Map<number, string | null>();
  for (const epoch of known.continuable) continuable.set(epoch, null);
  for (const epoch of known.pending) continuable.set(epoch, stageId(targets[0]!.chain, epoch));

  return targets.map((spec): PlannedStage => {
    const { epochs, chain } = spec;
    if (known.stages.includes(epochs))
      return planStage(spec, { dependsOn: null, startEpoch: epochs, cached: true });
    if (known.recorded.includes(epochs))
      return planStage(spec, { dependsOn: null, startEpoch: epochs, passed: true });
    const carrier = known.pending.filter((longer) => longer > epochs).sort((a, b) => a - b)[0];
    if (carrier !== undefined)
      return planStage(spec, { dependsOn: stageId(chain, carrier), startEpoch: epochs });
    const startEpoch = Math.max(0, ...[...continuable.keys()].filter((epoch) => epoch < epochs));
    continuable.set(epochs, spec.id);
    const dependsOn = startEpoch > 0 ? continuable.get(startEpoch)! : spec.parent;
    return planStage(spec, { dependsOn, startEpoch });
  });
};

const groupBy = <T, K>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> => {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
};

const byEpochs = (a: NeededStage, b: NeededStage): number => a.epochs - b.epochs;

/** The epochs of all chains, and those that must still be trained. */
type Epochs = { readonly distinct: number; readonly needed: number };

const planStages = (
  stages: readonly NeededStage[],
  known: Known,
  sizeOf: SizeOf,
): Epochs & { readonly planned: readonly PlannedStage[]; readonly awaited: Awaited } => {
  const planned: PlannedStage[] = Array(stages.length);
  let distinct = 0;
  let needed = 0;
  const awaited = addUpAwaited(sizeOf);
  for (const [chain, places] of groupBy(stages.keys(), (place) => stages[place]!.chain)) {
    if (places.length > 1) places.sort((a, b) => byEpochs(stages[a]!, stages[b]!));
    const targets = places.map((place) => stages[place]!);
    distinct += targets.at(-1)!.epochs;
    const knownChain = known.get(chain);
    if (knownChain) awaited.add(targets.at(-1)!, knownChain);
    const ofChain = knownChain ? planKnownChain(targets, knownChain) : planNewChain(targets);
    for (const [i, stage] of ofChain.entries()) {
      planned[places[i]!] = stage;
      if (!stage.cached) needed += stage.epochs - stage.startEpoch;
    }
  }
  return { planned, distinct, needed, awaited: awaited.sum() };
};

type Built = Omit<SweepPlan, 'trials'> & {
  /** The work that is left, parents before children (`seconds.ts`). */
  readonly tasks: readonly Task[];
};

/** `attacked`: the classifiers whose attacks may be in the database. All others are only counted. */
const build = (outline: Outline, known: Known, attacked: readonly NeededStage[]): Built => {
  const { report, counts, training, classifiers, attacksOf, attacksOn } = outline;
  const sizeOf = sizesOf(outline);
  const { planned, distinct, needed, awaited } = planStages(
    [...training, ...attacked.flatMap(attacksOn)],
    known,
    sizeOf,
  );
  const byKind = groupBy(planned, (stage) => stage.kind);
  const isAttacked = new Set(attacked);
  const onlyCounted = classifiers
    .filter((classifier) => !isAttacked.has(classifier))
    .flatMap((classifier) => {
      const { id, dataset } = classifier;
      const size = sizeOf({ id, kind: 'attack', parent: id, dataset });
      const [kind, images, after] = ['attack', counts.attackedImages, [id]] as const;
      return attacksOf(classifier).map(
        (attack): Task => ({ kind, method: attack.attack, attack, images, size, after }),
      );
    });
  const ofKind = StageKind.options.map((kind) => {
    // Sorting is stable: within a kind and a length, the order of the outline stays.
    const stages = (byKind.get(kind) ?? []).sort(byEpochs);
    const total = stages.length + (kind === 'attack' ? onlyCounted.length : 0);
    const cached = stages.filter((stage) => stage.cached || stage.passed).length;
    return { kind, stages, count: { total, cached } };
  });
  const epochs = { unshared: counts.unshared, needed, cached: distinct - needed };
  const shared = epochs.needed + epochs.cached;
  const stages = ofKind.flatMap(({ stages }) => stages);
  return {
    stages,
    plan: {
      trials: counts.trials,
      stages: Object.fromEntries(ofKind.map(({ kind, count }) => [kind, count])) as Plan['stages'], // one entry for every kind
      epochs,
      ...(awaited.work && { awaited: awaited.work }),
      sharing: shared === 0 ? 1 : epochs.unshared / shared,
      ...report,
    },
    tasks: [...tasksOf(stages, sizeOf), ...onlyCounted, ...awaited.tasks],
  };
};

/** The plan of a sweep, from its outline and from the known parts of its chains. Pure: the same inputs give the same plan. */
export const buildPlan = (outline: Outline, known: Known): SweepPlan & Pick<Built, 'tasks'> => ({
  trials: outline.trials,
  ...build(outline, known, outline.classifiers),
});

/**
 * The numbers of the same plan, without making trials, or attacks on other classifiers than `attacked`. The database has no attack on the
 * others, because it has none of them.
 */
export const countPlan = (
  outline: Outline,
  known: Known,
  attacked: readonly NeededStage[],
): Pick<Built, 'plan' | 'tasks'> => {
  const { plan, tasks } = build(outline, known, attacked);
  return { plan, tasks };
};
