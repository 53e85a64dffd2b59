/** What is left to do: each stage's starting point, given what the database knows of its chain. */
import {
  type EpochCount,
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
    const still = (how: Partial<PlannedStage>): PlannedStage => ({
      ...{ ...spec, after: null, startEpoch: epochs, passed: false, cached: false },
      ...how,
    });
    if (known.stages.includes(epochs)) return still({ cached: true });
    if (known.recorded.includes(epochs)) return still({ passed: true });
    const carrier = known.pending.filter((longer) => longer > epochs).sort((a, b) => a - b)[0];
    if (carrier !== undefined) return still({ after: stageId(chain, carrier) });
    const startEpoch = Math.max(0, ...[...starts.keys()].filter((epoch) => epoch < epochs));
    starts.set(epochs, spec.id);
    const after = startEpoch > 0 ? starts.get(startEpoch)! : spec.parent;
    return { ...spec, after, startEpoch, passed: false, cached: false };
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

const countEpochs = (outline: Outline, stages: readonly PlannedStage[]): EpochCount => {
  const epochsOf = new Map(stages.map((stage) => [stage.id, stage.epochs]));
  const unshared = sum(outline.trials.map((trial) => sum(trial.stages.map((id) => epochsOf.get(id)!))));
  const needed = sum(stages.map((stage) => stage.epochs - (stage.cached ? stage.epochs : stage.startEpoch)));
  const distinct = sum(
    [...groupBy(stages, (stage) => stage.chain).values()].map((chain) =>
      Math.max(...chain.map((stage) => stage.epochs)),
    ),
  );
  return { unshared, needed, cached: distinct - needed };
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

/** The plan: what `outlineSweep` found, against what the database knows of its chains. Same inputs, same plan. */
export const settlePlan = (outline: Outline, known: Known): SweepPlan => {
  const position = new Map(outline.stages.map((stage, i) => [stage.id, i]));
  const settled = [...groupBy(outline.stages, (stage) => stage.chain)].flatMap(([chain, targets]) =>
    settleChain(
      [...targets].sort((a, b) => a.epochs - b.epochs),
      known.get(chain) ?? unknown,
    ),
  );
  const depths = new Map(StageKind.options.map((kind, i) => [kind, i]));
  const depth = (stage: PlannedStage) => depths.get(stage.kind)!;
  const stages = settled.sort(
    (a, b) => depth(a) - depth(b) || a.epochs - b.epochs || position.get(a.id)! - position.get(b.id)!,
  );
  const epochs = countEpochs(outline, stages);
  const done = epochs.needed + epochs.cached;
  const plan: Plan = {
    trials: outline.trials.length,
    stages: countStages(stages),
    epochs,
    sharing: done === 0 ? 1 : epochs.unshared / done,
  };
  return { trials: outline.trials, stages, plan };
};
