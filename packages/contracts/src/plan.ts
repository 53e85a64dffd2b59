/** The planner's answer: what a sweep consists of, and what of it is there already. Pure data between planner and database, and its words. */
import { z } from 'zod';
import { type Hyperparameters, HyperparameterValue } from './hyperparameters.ts';
import type { RecipeName } from './recipes.ts';
import type { StageSpec } from './stages.ts';
import { StageKind } from './statuses.ts';

const Count = z.int().min(0);

/** What sharing saves. `cached`: epochs that the database had before. `needed` + `cached` + what trials share = `unshared`. */
export const EpochCount = z.strictObject({
  unshared: Count.meta({ description: 'Epochs if every trial trained alone.' }),
  needed: Count.meta({ description: 'Epochs that must still be trained for this sweep.' }),
  cached: Count.meta({ description: 'Epochs found done, or under way, for other sweeps.' }),
});
export type EpochCount = z.infer<typeof EpochCount>;

/** What a sweep takes for one hyperparameter of its search space. */
export const PlannedHyperparameter = z
  .strictObject({
    hyperparameter: z.string(),
    asked: Count.nullable().meta({
      description: 'Values asked for, equal ones included; null for a continuous range.',
    }),
    different: Count.nullable().meta({
      description: 'Different values among them; null where a continuous range holds any number.',
    }),
    values: z.array(HyperparameterValue).meta({
      description: 'The first ten of these, in order; empty for a continuous range.',
    }),
    continuous: z
      .strictObject({ min: z.number(), max: z.number(), scale: z.enum(['linear', 'log']) })
      .nullable()
      .meta({ description: 'The range that values are drawn from, evenly on its scale; else null.' }),
  })
  .meta({ id: 'PlannedHyperparameter' });
export type PlannedHyperparameter = z.infer<typeof PlannedHyperparameter>;

export const Plan = z
  .strictObject({
    trials: Count,
    stages: z.record(StageKind, z.strictObject({ total: Count, cached: Count })),
    epochs: EpochCount,
    /** unshared / (needed + cached) */
    sharing: z.number(),
    space: z.array(PlannedHyperparameter).optional().meta({
      description:
        'The hyperparameters of the search space; absent in plans that were made before it was noted.',
    }),
    leftOut: z.array(z.string()).optional().meta({
      description:
        'What was asked for and makes no trial of its own, such as equal values: one sentence each.',
    }),
  })
  .meta({ id: 'Plan' });
export type Plan = z.infer<typeof Plan>;

/** One point of the search space with one seed; only the hyperparameters that its recipe reads. */
export type TrialPoint = {
  readonly recipe: RecipeName;
  readonly hyperparameters: Partial<Hyperparameters>;
  readonly seed: number;
};

export type PlannedTrial = TrialPoint & {
  /** 0, 1, … in the order of the search space. */
  readonly number: number;
  /** Hash of the point without its seed: what seeds are averaged over. */
  readonly configuration: string;
  /** Stage ids in the order of the recipe, attacks last. */
  readonly stages: readonly string[];
};

/** A chain's position in the database, as the planner needs to know it. */
export type KnownChain = {
  /** Epochs whose networks are stored. */
  readonly recorded: readonly number[];
  /** Of these, the ones that training can continue from (moments stored). */
  readonly continuable: readonly number[];
  /** Epochs of stages of this chain that exist and have not ended badly (waiting, ready, running, or with a result). */
  readonly stages: readonly number[];
  /** Of these, the ones under way (waiting, ready or running) and not held by a cancelled sweep. */
  readonly pending: readonly number[];
};
export type Known = ReadonlyMap<string, KnownChain>;

export type PlannedStage = StageSpec & {
  /** The stage that must end first; null: it can start at once. Those of `surrogates` must have ended too. */
  readonly dependsOn: string | null;
  /** The epoch that it continues from on its own chain (0: from its parent). */
  readonly startEpoch: number;
  /** Its result is recorded already: `passed` on the way of a longer run. */
  readonly passed: boolean;
  /** The database has this very stage; nothing is to be inserted but the trials that point at it. */
  readonly cached: boolean;
};

export type SweepPlan = {
  readonly trials: readonly PlannedTrial[];
  /** Parents before children, shorter before longer. */
  readonly stages: readonly PlannedStage[];
  readonly plan: Plan;
};

/** The values of a hyperparameter in one line: `1, 5, 10`; `1, 2, … 100,000 in all`; `any number from 0.1 to 10, evenly on a log scale`. */
export const describeValues = ({ values, different, continuous }: PlannedHyperparameter): string => {
  if (continuous) {
    const { min, max, scale } = continuous;
    const what = different === null ? 'any number' : 'any whole number';
    return `${what} from ${min} to ${max}, evenly${scale === 'log' ? ' on a log scale' : ''}`;
  }
  const all = (different ?? 0) > values.length ? `, … ${different!.toLocaleString('en-US')} in all` : '';
  return `${values.join(', ')}${all}`;
};
