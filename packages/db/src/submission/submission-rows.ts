/** A plan as rows: what JavaScript knows of them before PostgreSQL sees them. */
import type { PlannedStage, SweepPlan } from '@funnel/contracts';

export type PlacedStage = {
  readonly stage: PlannedStage;
  /** First trials first, and each trial in the order of its stages: results come trial by trial, not kind by kind. */
  readonly ordinal: number;
  /** It was there before, and is not `cached`: it ended badly, and gets another chance. */
  readonly again: boolean;
  /** Something that it waits for was there before: whether it can start must be asked of the database. */
  readonly unsure: boolean;
};

export const idsOf = (placed: readonly PlacedStage[]): readonly string[] =>
  placed.map(({ stage }) => stage.id);

/** All that must have ended before it starts. */
export const inputsOf = ({ dependsOn, surrogates }: PlannedStage): readonly string[] =>
  dependsOn === null ? surrogates : [dependsOn, ...surrogates];

const positions = (plan: SweepPlan): ReadonlyMap<string, number> => {
  const order = new Map<string, number>();
  for (const trial of plan.trials)
    for (const id of trial.stages) if (!order.has(id)) order.set(id, order.size);
  return order;
};

/** `there`: ids of the stages that the database has. */
export const placeStages = (plan: SweepPlan, there: ReadonlySet<string>): readonly PlacedStage[] => {
  const order = positions(plan);
  const isNew = new Set(plan.stages.filter((stage) => !stage.cached).map((stage) => stage.id));
  return plan.stages.map((stage) => ({
    stage,
    ordinal: order.get(stage.id)!,
    again: !stage.cached && there.has(stage.id),
    unsure: !stage.cached && inputsOf(stage).some((input) => !isNew.has(input)),
  }));
};

/** Rows per statement: one statement never holds more than some ten megabytes. */
const chunk = 10_000;

export const chunks = <T>(items: readonly T[], size = chunk): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
