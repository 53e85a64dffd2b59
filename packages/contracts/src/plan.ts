/**
 * The plan of a sweep: its trials and stages, and the results that the database already has. Pure data, which the planner gives to the
 * database.
 */

import { z } from 'zod';
import type { StageNeed } from './abilities.ts';
import { AttackName } from './attacks.ts';
import { DatasetSlug, type DatasetSpec } from './dataset-spec.ts';
import { type Hyperparameters, HyperparameterValue } from './hyperparameters.ts';
import { OtherSweep, WaitsBehind } from './other-sweeps.ts';
import { RecipeName } from './recipes.ts';
import { PlannedSearch } from './resources/searches.ts';
import type { AttackRun, StageSpec } from './stages.ts';
import { StageKind } from './statuses.ts';
import { formatAmount, formatExact, plural } from './text.ts';
import { VersionChange } from './versions.ts';

const Count = z.int().min(0);

/** The saving by sharing: `unshared` is `needed` + `cached` + the epochs that trials share with each other. */
export const EpochCount = z.strictObject({
  unshared: Count.meta({ description: 'Epochs if every trial trained all of its stages.' }),
  needed: Count.meta({ description: 'Epochs that must still be trained for this sweep.' }),
  cached: Count.meta({ description: 'Epochs that other sweeps have trained, or are training.' }),
});
export type EpochCount = z.infer<typeof EpochCount>;

export const AwaitedWork = z
  .strictObject({
    epochs: Count.meta({ description: 'Part of `epochs.cached`.' }),
    attacks: Count.meta({ description: 'Part of `stages.attack.cached`.' }),
    sweeps: z.array(OtherSweep).meta({
      description: 'The sweeps that planned this work, oldest first, at most ten. Deleted ones are missing.',
    }),
    done: z.strictObject({ epochs: Count, attacks: Count }).optional().meta({
      description:
        'The work that these sweeps had done already and that the sweep needs, too: its progress counts that. Absent in plans of older versions.',
    }),
  })
  .meta({ id: 'AwaitedWork' });
export type AwaitedWork = z.infer<typeof AwaitedWork>;

/** The values of one hyperparameter of the search space. */
export const PlannedHyperparameter = z
  .strictObject({
    hyperparameter: z.string(),
    asked: Count.nullable().meta({
      description:
        'Number of values in the definition; equal values count each. Null for a continuous range.',
    }),
    different: Count.nullable().meta({
      description: 'Number of different values; null for a continuous range of real numbers.',
    }),
    values: z.array(HyperparameterValue).meta({
      description: 'The first ten different values, in order; empty for a continuous range.',
    }),
    continuous: z
      .strictObject({ min: z.number(), max: z.number(), scale: z.enum(['linear', 'log']) })
      .nullable()
      .meta({
        description:
          'The continuous range that values are drawn from, uniformly on its scale; null for other dimensions.',
      }),
  })
  .meta({ id: 'PlannedHyperparameter' });
export type PlannedHyperparameter = z.infer<typeof PlannedHyperparameter>;

/** Measured speeds of a fleet: seconds and images of its last attempts, and the number of its slots. */
export type FleetSpeed = {
  readonly speeds: readonly {
    readonly kind: StageKind;
    /** The recipe of a training stage, the attack of an attack stage. */
    readonly method: string;
    /** The attack of an attack stage, with its settings. */
    readonly attack: AttackRun | null;
    readonly seconds: number;
    readonly images: number;
    /** What decides the sizes of the networks that were trained or attacked. (Default: not known) */
    readonly network?: {
      readonly recipe: RecipeName;
      readonly hyperparameters: Partial<Hyperparameters>;
      readonly dataset: Pick<DatasetSpec, 'name'> & Partial<Pick<DatasetSpec, 'content'>>;
    };
  }[];
  readonly slots: number;
};

export const Plan = z
  .strictObject({
    trials: Count,
    stages: z.record(StageKind, z.strictObject({ total: Count, cached: Count })),
    epochs: EpochCount,
    awaited: AwaitedWork.optional().meta({
      description:
        'The work that is in progress or waits in other sweeps and has no result yet. Absent if there is none, and in plans of older versions.',
    }),
    behind: WaitsBehind.optional().meta({
      description:
        'The sweeps of higher priority from which workers take their next stages at present. Only in the answer to a plan; absent when there is none.',
    }),
    /** unshared / (needed + cached) */
    sharing: z.number(),
    search: PlannedSearch.optional().meta({
      description: 'Set for a search that decides one configuration after the other.',
    }),
    space: z.array(PlannedHyperparameter).optional().meta({
      description: 'The hyperparameters of the search space; absent in plans of older versions.',
    }),
    runs: z
      .strictObject({
        recipes: z.array(RecipeName),
        dataset: z
          .strictObject({ name: DatasetSlug, train: Count, test: Count, attack: Count, classes: Count })
          .optional()
          .meta({
            description:
              'The data set and the numbers of its images: trained on, tested on and, of those, at most attacked; and the number of its classes. Absent in answers of older versions.',
          }),
        seeds: z.array(z.int()).meta({ description: 'The different seeds, at most the first hundred.' }),
        attacks: z
          .array(z.strictObject({ attack: AttackName, settings: z.record(z.string(), z.unknown()) }))
          .meta({ description: 'Each attack once with all of its settings; presets are spelt out.' }),
        defaults: z.record(z.string(), HyperparameterValue).meta({
          description: 'The hyperparameters that the recipes read and that the space does not name.',
        }),
      })
      .optional()
      .meta({
        description: 'What runs besides the values of the search space. Only in the answer to a plan.',
      }),
    warnings: z.array(z.string()).optional().meta({
      description: 'What will probably disappoint: one sentence each. Absent if there is nothing.',
    }),
    leftOut: z.array(z.string()).optional().meta({
      description: 'Parts of the definition that add no trial, such as repeated values: one sentence each.',
    }),
    madeAnew: z.array(VersionChange).optional().meta({
      description:
        'Stages that the database has from an older version, and that are therefore made anew. Absent if there are none.',
    }),
    estimate: z
      .strictObject({
        parameters: Count.meta({ description: 'Largest number of weights that one stage trains.' }),
        trainerBytes: Count.meta({ description: 'Memory of a trainer, at least.' }),
        storedBytes: Count.meta({
          description: 'Bytes that all stages together store if none is in the database yet.',
        }),
        attackQueries: Count.meta({ description: 'Upper bound on the queries of all attacks together.' }),
        seconds: z.number().nullable().optional().meta({
          description:
            'Seconds of the work that is left, at the speed that this fleet had in its last stages of these kinds; null when it has not run all of them.',
        }),
        attackSeconds: z.number().nullable().optional().meta({
          description: 'The part of attacks in `seconds`. Absent in plans of older versions.',
        }),
        unmeasured: z.array(z.string()).optional().meta({
          description:
            'The kinds of stages that this fleet has not run yet, such as `attack square-linf`, so that it cannot tell their time.',
        }),
        otherSizes: z
          .array(z.enum(['smaller', 'larger']))
          .optional()
          .meta({
            description:
              'The time is rough: some kinds of stages were measured only on networks of less than half (`smaller`) or more than twice (`larger`) the size. Absent otherwise.',
          }),
        otherSettings: z.array(z.string()).optional().meta({
          description:
            'The time is rough: these attacks were measured only with other settings. Their times are in proportion to the largest number of queries. Absent if there are none.',
        }),
        slots: Count.optional().meta({ description: 'The trainers of the workers that are online.' }),
      })
      .optional()
      .meta({ description: 'What the sweep costs; absent in plans of older versions.' }),
  })
  .meta({ id: 'Plan' });
export type Plan = z.infer<typeof Plan>;

/** One point of the search space with one seed. It has only the hyperparameters that its recipe reads. */
export type TrialPoint = {
  readonly recipe: RecipeName;
  readonly hyperparameters: Partial<Hyperparameters>;
  readonly seed: number;
};

export type PlannedTrial = TrialPoint & {
  /** 0, 1, … in the order of the search space. */
  readonly number: number;
  /** Hash of the point without its seed. Trials with the same hash are averaged. */
  readonly configuration: string;
  /** Stage ids in the order of the recipe, attacks last. */
  readonly stages: readonly string[];
};

/** The parts of a chain that are in the database. */
export type KnownChain = {
  /** Epochs with stored networks. */
  readonly recorded: readonly number[];
  /** The recorded epochs with stored moments: training can continue from these. */
  readonly continuable: readonly number[];
  /** Lengths in epochs of the existing stages of this chain that are waiting, ready or running, or have a result. */
  readonly stages: readonly number[];
  /** The lengths of stages that are waiting, ready or running and that a live sweep needs. */
  readonly pending: readonly number[];
  /** The sweeps that planned the pending stages. (Default: not known) */
  readonly plannedBy?: readonly OtherSweep[];
  /** The epochs after `from`, up to `to`, that each sweep planned, done or not; both are 0 for an attack. (Default: not known) */
  readonly spans?: readonly { readonly sweep: string; readonly from: number; readonly to: number }[];
};
export type Known = ReadonlyMap<string, KnownChain>;

/** A stage of a sweep, and what it needs of the worker that runs it. */
export type NeededStage = StageSpec & { readonly need: StageNeed };

export type PlannedStage = NeededStage & {
  /** The stage that must end first, or null. The stages in `surrogates` must end first, too. */
  readonly dependsOn: string | null;
  /** The epoch of its chain from which the stage continues; 0: it starts from its parent. */
  readonly startEpoch: number;
  /** A longer run of the chain has already recorded the result of this stage. */
  readonly passed: boolean;
  /** The stage is already in the database: submission inserts only its links to trials. */
  readonly cached: boolean;
};

export type SweepPlan = {
  readonly trials: readonly PlannedTrial[];
  /** Parents before children, shorter before longer. */
  readonly stages: readonly PlannedStage[];
  readonly plan: Plan;
};

/** `12 more are in progress or wait in another sweep: P1 (paused)`; empty if nothing does. */
export const describeAwaited = ({ awaited }: Plan): string => {
  if (!awaited) return '';
  const { epochs, attacks, sweeps } = awaited;
  const what = epochs > 0 ? `${formatAmount(epochs)} more` : plural(attacks, 'attack');
  const verbs = epochs + attacks === 1 ? 'is in progress or waits' : 'are in progress or wait';
  const names = sweeps.slice(0, 3).map(({ name, status }) => `${name} (${status})`);
  const more = sweeps.length > names.length ? [`${sweeps.length - names.length} more`] : [];
  const whose = sweeps.length === 1 ? 'another sweep' : 'other sweeps';
  return `${what} ${verbs} in ${whose}${names.length > 0 ? `: ${[...names, ...more].join(', ')}` : ''}`;
};

/** Why a plan has no time. */
export const describeUnknownTime = ({ unmeasured = [], slots }: NonNullable<Plan['estimate']>): string => {
  if (slots === 0) return 'not known: no worker is online';
  return unmeasured.length === 0
    ? 'not known'
    : `no measurement yet: nothing here has run ${unmeasured.join(', ')}`;
};

/** `rough: measured on smaller networks and with other settings of pgd-linf`; empty if the same work was measured. */
export const describeRough = ({
  otherSizes = [],
  otherSettings = [],
}: NonNullable<Plan['estimate']>): string => {
  const parts = [
    ...(otherSizes.length > 0 ? [`on ${otherSizes.join(' and ')} networks`] : []),
    ...(otherSettings.length > 0 ? [`with other settings of ${otherSettings.join(', ')}`] : []),
  ];
  return parts.length === 0 ? '' : `rough: measured ${parts.join(' and ')}`;
};

/** The values of a hyperparameter in one line: `1, 5, 10`; `1, 2, … 100,000 in all`; `any number from 0.1 to 10, evenly on a log scale`. */
export const describeValues = ({ values, different, continuous }: PlannedHyperparameter): string => {
  if (continuous) {
    const { min, max, scale } = continuous;
    const what = different === null ? 'any number' : 'any whole number';
    return `${what} from ${formatExact(min)} to ${formatExact(max)}, evenly${scale === 'log' ? ' on a log scale' : ''}`;
  }
  const all = (different ?? 0) > values.length ? `, … ${formatAmount(different!)} in all` : '';
  return `${values.map(formatExact).join(', ')}${all}`;
};
