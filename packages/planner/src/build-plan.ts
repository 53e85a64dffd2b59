/** What is left to do: each stage's starting point, given what the database knows of its chain. */
import {
  type Known,
  type KnownChain,
  type Plan,
  type PlannedStage,
  StageKind,
  type StageSpec,
  type SweepPlan,
} from '@funnel/contracts';
import { stageId } from './identity.ts';
import type { Outline } from './outline.ts';

const unknown: KnownChain = { recorded: [], continuable: [], stages: [], pending: [] };

/** Every field written out: thirty thousand such objects are made several times as fast as by spreading one into the next. */
const planned = (
  spec: StageSpec,
  {
    dependsOn,
    startEpoch,
    passed = false,
    cached = false,
  }: Partial<PlannedStage> & Pick<PlannedStage, 'dependsOn' | 'startEpoch'>,
): PlannedStage => {
  const { kind, recipe, hyperparameters, seed, dataset, epochs, parent, attack, surrogates, chain, id } =
    spec;
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
    dependsOn,
    startEpoch,
    passed,
    cached,
  };
};

/**
 * One chain's stages, shortest first. A stage is, in this order:
 * - *cached*: the database has it, done or under way;
 * - *passed*: a longer run recorded its epoch;
 * - *carried*: a longer run is under way and will record its epoch;
 * - else it continues from the longest state before it, or starts from its parent.
 */
const settleChain = (targets: readonly StageSpec[], known: KnownChain): readonly PlannedStage[] => {
  /** Epochs at which a stage that continues may start, and the stage to wait for. */
  const starts = new Map<number, string | null>();
  for (const epoch of known.continuable) starts.set(epoch, null);
  for (const epoch of known.pending) starts.set(epoch, stageId(targets[0]!.chain, epoch));

  return targets.map((spec): PlannedStage => {
    const { epochs, chain } = spec;
    if (known.stages.includes(epochs))
      return planned(spec, { dependsOn: null, startEpoch: epochs, cached: true });
    if (known.recorded.includes(epochs))
      return planned(spec, { dependsOn: null, startEpoch: epochs, passed: true });
    const carrier = known.pending.filter((longer) => longer > epochs).sort((a, b) => a - b)[0];
    if (carrier !== undefined)
      return planned(spec, { dependsOn: stageId(chain, carrier), startEpoch: epochs });
    const startEpoch = Math.max(0, ...[...starts.keys()].filter((epoch) => epoch < epochs));
    starts.set(epochs, spec.id);
    const dependsOn = startEpoch > 0 ? starts.get(startEpoch)! : spec.parent;
    return planned(spec, { dependsOn, startEpoch });
  });
};

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const groupBy = <T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> => {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
};

const countStages = (stages: readonly PlannedStage[]): Plan['stages'] =>
  Object.fromEntries(
    StageKind.options.map((kind) => {
      const ofKind = stages.filter((stage) => stage.kind === kind);
      return [
        kind,
        { total: ofKind.length, cached: ofKind.filter((stage) => stage.cached || stage.passed).length },
      ];
    }),
  ) as Plan['stages']; // one entry for every kind

const depths = Object.fromEntries(StageKind.options.map((kind, i) => [kind, i])) as Record<StageKind, number>; // one entry for every kind

/** The plan: what `outlineSweep` found, against what the database knows of its chains. Same inputs, same plan. */
export const buildPlan = (outline: Outline, known: Known): SweepPlan => {
  const settled = new Map<string, PlannedStage>();
  let distinct = 0;
  let needed = 0;
  for (const [chain, targets] of groupBy(outline.stages, (stage) => stage.chain)) {
    targets.sort((a, b) => a.epochs - b.epochs);
    distinct += targets.at(-1)!.epochs;
    for (const stage of settleChain(targets, known.get(chain) ?? unknown)) {
      settled.set(stage.id, stage);
      if (!stage.cached) needed += stage.epochs - stage.startEpoch;
    }
  }
  const unshared = sum(outline.trials.map((trial) => sum(trial.stages.map((id) => settled.get(id)!.epochs))));
  // Stable: within a kind and a length, the order of the outline.
  const stages = outline.stages
    .map((stage) => settled.get(stage.id)!)
    .sort((a, b) => depths[a.kind] - depths[b.kind] || a.epochs - b.epochs);
  const epochs = { unshared, needed, cached: distinct - needed };
  const done = epochs.needed + epochs.cached;
  const plan: Plan = {
    trials: outline.trials.length,
    stages: countStages(stages),
    epochs,
    sharing: done === 0 ? 1 : epochs.unshared / done,
    ...outline.report,
  };
  return { trials: outline.trials, stages, plan };
};
