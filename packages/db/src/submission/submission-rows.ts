/** Turns a plan into rows of tables: ids, order, groups and chunks. Does not query the database. */
import type { PlannedStage, SweepPlan } from '@funnel/contracts';

export type PlacedStage = {
  readonly stage: PlannedStage;
  /**
   * The order follows the first trial that needs the stage, then the stages within that trial. So results arrive trial by trial, not kind
   * by kind.
   */
  readonly ordinal: number;
  /** The stage is in the database. */
  readonly isKnown: boolean;
  /** The stage waits for a stage that is not in the plan: a longer or shorter run of its chain, which another sweep has. */
  readonly waitsForOther: boolean;
  /** The stage is in the database without a result: it failed, was cancelled or lost its result. It will run again. */
  readonly hasEnded: boolean;
};

export const idsOf = (placed: readonly PlacedStage[]): readonly string[] =>
  placed.map(({ stage }) => stage.id);

const ordinals = (plan: SweepPlan): ReadonlyMap<string, number> => {
  const order = new Map<string, number>();
  for (const trial of plan.trials)
    for (const id of trial.stages) if (!order.has(id)) order.set(id, order.size);
  return order;
};

/** `known`: ids of the stages in the database. `start`: the ordinal of the first stage. */
export const placeStages = (
  plan: SweepPlan,
  known: ReadonlySet<string>,
  start = 0,
): readonly PlacedStage[] => {
  const order = ordinals(plan);
  return plan.stages.map((stage) => ({
    stage,
    ordinal: start + order.get(stage.id)!,
    isKnown: known.has(stage.id),
    waitsForOther: stage.dependsOn !== null && !order.has(stage.dependsOn),
    hasEnded: !stage.cached && known.has(stage.id),
  }));
};

/** Rows per statement: a statement then has at most about ten megabytes. */
const chunk = 10_000;

export const chunks = <T>(items: readonly T[], size = chunk): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));

export type PlannedTrial = SweepPlan['trials'][number];

/** The first trial of each configuration (a point of the search space, without the seed), by hash. The order of the map gives the index of each configuration. */
export const firstTrials = (trials: readonly PlannedTrial[]): ReadonlyMap<string, PlannedTrial> => {
  const firstOf = new Map<string, PlannedTrial>();
  for (const trial of trials) if (!firstOf.has(trial.configuration)) firstOf.set(trial.configuration, trial);
  return firstOf;
};

/** SQL: the id of a new sweep or submission, 16 hex digits. It begins with the time in milliseconds, so that ids sort by their age. */
export const newId = `lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 11, '0') || substr(md5(gen_random_uuid()::text), 1, 5)`;
