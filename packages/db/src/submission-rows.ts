/** A plan as rows: what JavaScript knows of them before PostgreSQL sees them. */
import type { PlannedStage, SweepPlan } from '@funnel/contracts';

export type PlacedStage = PlannedStage & {
  /** First trials first, and each trial in the order of its stages: results come trial by trial, not kind by kind. */
  readonly position: number;
  /** Something that it waits for was there before: whether it can start must be asked of the database. */
  readonly unsure: boolean;
};

/** All that must have ended before it starts. */
export const inputsOf = ({ after, surrogates }: PlannedStage): readonly string[] =>
  after === null ? surrogates : [after, ...surrogates];

const positions = (plan: SweepPlan): ReadonlyMap<string, number> => {
  const order = new Map<string, number>();
  for (const trial of plan.trials)
    for (const id of trial.stages) if (!order.has(id)) order.set(id, order.size);
  return order;
};

export const placeStages = (plan: SweepPlan): readonly PlacedStage[] => {
  const order = positions(plan);
  const isNew = new Set(plan.stages.filter((stage) => !stage.cached).map((stage) => stage.id));
  return plan.stages.map((stage) => ({
    ...stage,
    position: order.get(stage.id)!,
    unsure: !stage.cached && inputsOf(stage).some((id) => !isNew.has(id)),
  }));
};

/** Rows per statement: one statement never holds more than some ten megabytes. */
const chunk = 10_000;

export const chunks = <T>(items: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(items.length / chunk) }, (_, i) => items.slice(i * chunk, (i + 1) * chunk));
